import { Failure } from '../core/failure.ts';
import { type BitReader, createBitReader } from './jpeg-bits.ts';
import { type JpegHead, readJpegHead } from './jpeg-head.ts';

/**
 * Sequential JPEG with the discrete cosine transform and Huffman coding, one component (ISO 10918-1, annex F: the baseline and the
 * extended process). It is here for samples of 12 bits, which no maintained codec for Node decodes.
 */

const side = 8;
/** Largest category of a coefficient of 12-bit samples (F.1.2.1.1, F.1.2.2.1 with table F.6 and F.7). */
const largestCategory = 15;

export interface JpegShape {
  readonly rows: number;
  readonly columns: number;
  /** Bits of a sample: 8 or 12. */
  readonly precision: number;
}

/**
 * rows × columns samples from 0 to 2^precision − 1, row by row. Raises `decode-failed` for what is no such stream, and `truncated`
 * where the entropy-coded data ends within a block.
 */
export function decodeJpegDct(bytes: Uint8Array, shape: JpegShape): Uint16Array {
  const head = readJpegHead(bytes);
  const bits = createBitReader(bytes, head.scan);
  const samples = new Uint16Array(shape.rows * shape.columns);
  const block = new Float64Array(side * side);
  const [across, down] = [Math.ceil(shape.columns / side), Math.ceil(shape.rows / side)];
  let predictor = 0;
  for (let index = 0; index < across * down; index++) {
    if (head.restartInterval > 0 && index > 0 && index % head.restartInterval === 0) {
      bits.restart(index / head.restartInterval - 1);
      predictor = 0;
    }
    predictor = readBlock(bits, head, predictor, block);
    transform(block);
    place(block, samples, (index % across) * side, Math.floor(index / across) * side, shape);
  }
  return samples;
}

/** One block of dequantised coefficients, row by row (F.2.2). Returns its DC coefficient, by which the next is predicted. */
function readBlock(
  bits: BitReader,
  { dc, ac, quantisation }: JpegHead,
  predictor: number,
  block: Float64Array,
): number {
  block.fill(0);
  const first = predictor + readCoefficient(bits, bits.code(dc));
  block[0] = first * quantisation[0]!;
  for (let k = 1; k < block.length; k++) {
    const runAndCategory = bits.code(ac);
    const [run, category] = [runAndCategory >> 4, runAndCategory & 15];
    if (category === 0 && run < 15) break;
    k += run;
    if (k >= block.length) throw broken('block', '64 coefficients', 'more');
    if (category > 0) block[zigzag[k]!] = readCoefficient(bits, category) * quantisation[k]!;
  }
  return first;
}

/** A signed number of so many bits: those below half the range are negative (F.2.2.1, EXTEND). */
function readCoefficient(bits: BitReader, category: number): number {
  if (category === 0) return 0;
  if (category > largestCategory) throw broken('coefficient', `at most ${largestCategory} bits`, String(category));
  const value = bits.take(category);
  return value < 2 ** (category - 1) ? value - 2 ** category + 1 : value;
}

/** Where the k-th coefficient of the stream lies in its block (figure A.6). */
const zigzag = zigzagOf(side);

function zigzagOf(n: number): readonly number[] {
  const places = Array.from({ length: n * n }, (_, at) => ({ at, row: Math.floor(at / n), column: at % n }));
  // Along each diagonal, every other one upwards.
  const along = ({ row, column }: (typeof places)[number]) => ((row + column) % 2 === 0 ? -row : row);
  return places.sort((a, b) => a.row + a.column - (b.row + b.column) || along(a) - along(b)).map(({ at }) => at);
}

/** basis[x * 8 + u]: what a coefficient of frequency u adds at x (A.3.3). */
const basis = Float64Array.from({ length: side * side }, (_, at) => {
  const [x, u] = [Math.floor(at / side), at % side];
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / (2 * side));
});

const half = new Float64Array(side * side);

/** The inverse transform, in place: along the rows, then along the columns. */
function transform(block: Float64Array): void {
  for (let row = 0; row < block.length; row += side) {
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let u = 0; u < side; u++) sum += basis[x * side + u]! * block[row + u]!;
      half[row + x] = sum;
    }
  }
  for (let column = 0; column < side; column++) {
    for (let y = 0; y < side; y++) {
      let sum = 0;
      for (let v = 0; v < side; v++) sum += basis[y * side + v]! * half[v * side + column]!;
      block[y * side + column] = sum;
    }
  }
}

/** Shifted by half the range, rounded and kept within it (A.3.1); what lies outside the frame is padding of the encoder. */
function place(
  block: Float64Array,
  samples: Uint16Array,
  left: number,
  top: number,
  { rows, columns, precision }: JpegShape,
): void {
  const [shift, most] = [2 ** (precision - 1), 2 ** precision - 1];
  const [width, height] = [Math.min(side, columns - left), Math.min(side, rows - top)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = Math.round(block[y * side + x]! + shift);
      samples[(top + y) * columns + left + x] = Math.min(most, Math.max(0, value));
    }
  }
}

const broken = (where: string, expected: string, got: string): Failure =>
  new Failure('decode-failed', { where: `JPEG, ${where}`, expected, got });
