/** Makes small sequential JPEG streams out of coefficients, and the samples that they stand for, each by the plainest reading of ISO 10918-1. */

/** Coefficients of a block in the order of the stream (zigzag), quantised. */
export type Coefficients = Readonly<Record<number, number>>;

export interface JpegOptions {
  readonly rows: number;
  readonly columns: number;
  readonly precision: number;
  /** One step for all 64 coefficients; above 255 the table has 16 bits. */
  readonly step: number;
  /** Blocks between restart markers; 0 = none. */
  readonly restartInterval?: number;
  /** Frame header; SOF1 by default. */
  readonly frame?: number;
}

/** Every code has the same length, so that a code is its place among the values. */
const dcValues = Array.from({ length: 16 }, (_, category) => category);
const acValues = Array.from({ length: 255 }, (_, index) => index);
const [dcBits, acBits] = [5, 8];

const segment = (marker: number, ...body: readonly number[]): number[] => [
  ...[0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 0xff, ...body],
];

const codes = (id: number, bits: number, values: readonly number[]): number[] =>
  segment(0xc4, id, ...Array.from({ length: 16 }, (_, at) => (at + 1 === bits ? values.length : 0)), ...values);

export function jpegStream(blocks: readonly Coefficients[], options: JpegOptions): Uint8Array {
  const { rows, columns, precision, step, restartInterval = 0, frame = 0xc1 } = options;
  const steps =
    step > 255
      ? [
          0x10,
          ...Array(64)
            .fill([step >> 8, step & 0xff])
            .flat(),
        ]
      : [0, ...Array(64).fill(step)];
  const scan: number[] = [];
  let [bits, previous] = ['', 0];
  const flush = () => {
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
    for (const byte of padded.match(/.{8}/g) ?? []) {
      const value = Number.parseInt(byte, 2);
      scan.push(value, ...(value === 0xff ? [0] : []));
    }
    [bits, previous] = ['', 0];
  };
  for (const [index, block] of blocks.entries()) {
    if (restartInterval > 0 && index > 0 && index % restartInterval === 0) {
      flush();
      scan.push(0xff, 0xd0 + ((index / restartInterval - 1) % 8));
    }
    const first = block[0] ?? 0;
    bits += number(first - previous, (category) => code(dcValues.indexOf(category), dcBits));
    previous = first;
    bits += rest(block);
  }
  flush();
  return Uint8Array.from([
    ...[0xff, 0xd8, ...segment(0xdb, ...steps)],
    ...segment(frame, precision, rows >> 8, rows & 0xff, columns >> 8, columns & 0xff, 1, 7, 0x11, 0),
    ...codes(0x00, dcBits, dcValues),
    ...codes(0x10, acBits, acValues),
    ...(restartInterval > 0 ? segment(0xdd, restartInterval >> 8, restartInterval & 0xff) : []),
    ...[...segment(0xda, 1, 7, 0x00, 0, 63, 0), ...scan, 0xff, 0xd9],
  ]);
}

const code = (place: number, length: number): string => place.toString(2).padStart(length, '0');

function rest(block: Coefficients): string {
  let [bits, run] = ['', 0];
  const last = Math.max(0, ...Object.keys(block).map(Number));
  for (let k = 1; k <= last; k++) {
    const value = block[k] ?? 0;
    if (value === 0) {
      run += 1;
      continue;
    }
    for (; run > 15; run -= 16) bits += code(acValues.indexOf(0xf0), acBits);
    bits += number(value, (category) => code(acValues.indexOf((run << 4) | category), acBits));
    run = 0;
  }
  return last < 63 ? bits + code(acValues.indexOf(0), acBits) : bits;
}

/** Code of the category, then the value; a negative one as its ones' complement. */
function number(value: number, prefix: (category: number) => string): string {
  const category = value === 0 ? 0 : Math.abs(value).toString(2).length;
  const positive = value < 0 ? value + 2 ** category - 1 : value;
  return prefix(category) + (category === 0 ? '' : code(positive, category));
}

/** Rows and columns of the coefficients of the stream, written down from figure A.6. */
const zigzag = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
];

/** The sample at (x, y) of a block: the double sum of A.3.3. */
export function sampleOf(block: Coefficients, x: number, y: number, { step, precision }: JpegOptions): number {
  let sum = 2 ** (precision - 1);
  for (const [k, value] of Object.entries(block)) {
    const [v, u] = [Math.floor(zigzag[Number(k)]! / 8), zigzag[Number(k)]! % 8];
    const weight = (u === 0 ? Math.SQRT1_2 : 1) * (v === 0 ? Math.SQRT1_2 : 1) * 0.25;
    const wave = (at: number, frequency: number) => Math.cos(((2 * at + 1) * frequency * Math.PI) / 16);
    sum += weight * value * step * wave(x, u) * wave(y, v);
  }
  return Math.min(2 ** precision - 1, Math.max(0, Math.round(sum)));
}
