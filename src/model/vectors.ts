import { type Memory, openMemory, openWeighing, type Weighing } from './weighing.ts';

/** Lines of a plane weighed four at a time. What a call needs lies in one small memory; the plane itself never does. */

/** Weights of one output: of the inputs from `first` on. */
export interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

export interface Vectors {
  /** Each of `rows` lines of `from` values to one of `taps.length`. */
  alongRows(values: Float32Array, from: number, rows: number, taps: readonly Taps[]): Float32Array;
  /** Each of `columns` columns to one of `taps.length` values. */
  alongColumns(values: Float32Array, columns: number, taps: readonly Taps[]): Float32Array;
}

const pageBytes = 65_536;
const lanes = 4;
const vectorBytes = 16;
/** Columns whose values are brought into the memory together: lines long enough to copy fast. */
const columnsTogether = 128;

const padded = (count: number): number => Math.ceil(count / lanes) * lanes;

/** Null where the processor has no vectors. */
export function openVectors(): Vectors | null {
  const memory = openMemory();
  const weighing = openWeighing(memory);
  if (!weighing) return null;
  return {
    alongRows: (values, from, rows, taps) => alongRows({ memory, weighing }, values, from, rows, taps),
    alongColumns: (values, columns, taps) => alongColumns({ memory, weighing }, values, columns, taps),
  };
}

interface Machine {
  readonly memory: Memory;
  readonly weighing: Weighing;
}

/** Addresses of blocks of so many bytes, and the memory as floats; it grows where it is too small. */
function lay(memory: Memory, ...sizes: readonly number[]) {
  let end = 0;
  const addresses = sizes.map((size) => {
    const address = end;
    end += Math.ceil(size / vectorBytes) * vectorBytes;
    return address;
  });
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  return { addresses, floats: new Float32Array(memory.buffer) };
}

/** Weights of all outputs one after another, with where each begins and how many it has; 8, 4 and 4 bytes a piece. */
function place(
  { memory }: Machine,
  taps: readonly Taps[],
  weightsAt: number,
  firstsAt: number,
  countsAt: number,
): void {
  new Int32Array(memory.buffer, firstsAt, taps.length).set(taps.map(({ first }) => first));
  new Int32Array(memory.buffer, countsAt, taps.length).set(taps.map(({ weights }) => weights.length));
  const all = new Float64Array(memory.buffer, weightsAt, countOf(taps));
  let at = 0;
  for (const { weights } of taps) {
    all.set(weights, at);
    at += weights.length;
  }
}

const countOf = (taps: readonly Taps[]): number => taps.reduce((sum, { weights }) => sum + weights.length, 0);

function alongRows(machine: Machine, values: Float32Array, from: number, rows: number, taps: readonly Taps[]) {
  const { memory, weighing } = machine;
  const to = taps.length;
  const [wide, narrow] = [padded(from), padded(to)];
  const tables = [8 * countOf(taps), 4 * to, 4 * to] as const;
  const { addresses, floats } = lay(memory, ...tables, wide * 16, wide * 16, narrow * 16, narrow * 16);
  const [weights = 0, firsts = 0, counts = 0, lines = 0, strip = 0, sums = 0, results = 0] = addresses;
  place(machine, taps, weights, firsts, counts);
  const out = new Float32Array(to * rows);
  for (let row = 0; row < rows; row += lanes) {
    const together = Math.min(lanes, rows - row);
    for (let lane = 0; lane < together; lane++) {
      const start = (row + lane) * from;
      floats.set(values.subarray(start, start + from), lines / 4 + lane * wide);
    }
    weighing.transpose(lines, wide * 4, vectorBytes, strip, vectorBytes, lanes * vectorBytes, wide / lanes);
    weighing.weigh(strip, vectorBytes, 1, weights, firsts, counts, to, sums);
    weighing.transpose(sums, vectorBytes, lanes * vectorBytes, results, narrow * 4, vectorBytes, narrow / lanes);
    for (let lane = 0; lane < together; lane++) {
      const start = results / 4 + lane * narrow;
      out.set(floats.subarray(start, start + to), (row + lane) * to);
    }
  }
  return out;
}

function alongColumns(machine: Machine, values: Float32Array, columns: number, taps: readonly Taps[]) {
  const { memory, weighing } = machine;
  const to = taps.length;
  const from = values.length / columns;
  const side = Math.min(columnsTogether, padded(columns));
  const tables = [8 * countOf(taps), 4 * to, 4 * to] as const;
  const { addresses, floats } = lay(memory, ...tables, from * side * 4, to * side * 4);
  const [weights = 0, firsts = 0, counts = 0, block = 0, sums = 0] = addresses;
  place(machine, taps, weights, firsts, counts);
  const out = new Float32Array(columns * to);
  for (let column = 0; column < columns; column += side) {
    const width = Math.min(side, columns - column);
    for (let row = 0; row < from; row++) {
      const start = row * columns + column;
      floats.set(values.subarray(start, start + width), block / 4 + row * side);
    }
    const groups = padded(width) / lanes;
    weighing.weigh(block, side * 4, groups, weights, firsts, counts, to, sums);
    for (let row = 0; row < to; row++) {
      const start = sums / 4 + row * groups * lanes;
      out.set(floats.subarray(start, start + width), row * columns + column);
    }
  }
  return out;
}
