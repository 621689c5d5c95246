/** What little of WebAssembly a hand-written module needs (core specification 2.0, chapter 5), as bytes. */

export type Bytes = readonly number[];

/** A number of 32 bits, unsigned LEB128. */
export function unsigned(value: number): Bytes {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...unsigned(value >>> 7)];
}

const list = (items: readonly Bytes[]): Bytes => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: Bytes): Bytes => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: Bytes): Bytes => [id, ...sized(bytes)];
const name = (text: string): Bytes => sized([...Buffer.from(text)]);

export const i32 = 0x7f;
export const v128 = 0x7b;

const at =
  (op: number) =>
  (index: number): Bytes => [op, ...unsigned(index)];
export const get = at(0x20);
export const set = at(0x21);
export const call = { add: [0x6a], multiply: [0x6c], isZero: [0x45] } as const satisfies Record<string, Bytes>;
/** Signed LEB128 of a small number. */
export const constant = (value: number): Bytes => [
  0x41,
  ...(value < 64 ? [value] : [(value & 0x7f) | 0x80, value >> 7]),
];
export const loadInteger: Bytes = [0x28, 2, 0];

const vector = (op: number, ...rest: Bytes): Bytes => [0xfd, ...unsigned(op), ...rest];
export const load = vector(0x00, 0, 0);
/** A number of 64 bits into both lanes. */
export const loadTwice = vector(0x0a, 0, 0);
export const store = vector(0x0b, 0, 0);
export const zero = vector(0x0c, ...Array<number>(16).fill(0));
/** Four lanes of 32 bits out of the eight of two vectors. */
export const shuffle = (...lanes: readonly [number, number, number, number]): Bytes =>
  vector(0x0d, ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)));
export const toFloats = vector(0x5e);
/** The lower two lanes of four floats as doubles. */
export const toDoubles = vector(0x5f);
export const addDoubles = vector(0xf0);
export const multiplyDoubles = vector(0xf2);

/** A loop for as long as the local is not 0, which one less is left in after each turn. */
export const times = (local: number, ...body: readonly Bytes[]): Bytes => [
  ...[0x02, 0x40, 0x03, 0x40],
  ...[...get(local), ...call.isZero, 0x0d, 1],
  ...body.flat(),
  ...[...get(local), 0x41, 0x7f, ...call.add, ...set(local), 0x0c, 0],
  ...[0x0b, 0x0b],
];

/** Adds what the bytes leave on the stack to the local. */
export const advance = (local: number, ...by: readonly Bytes[]): Bytes => [
  ...get(local),
  ...by.flat(),
  ...call.add,
  ...set(local),
];

export interface WasmFunction {
  readonly name: string;
  /** Parameters, all of 32 bits. */
  readonly parameters: number;
  /** Types of further locals, in runs of equal ones. */
  readonly locals: readonly { readonly count: number; readonly type: number }[];
  readonly body: readonly Bytes[];
}

/** A module with one imported memory, `env.memory`; its functions give nothing back. */
export function moduleOf(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, ...list(Array(parameters).fill([i32])), 0]);
  const bodies = functions.map(({ locals, body }) =>
    sized([...list(locals.map(({ count, type }) => [...unsigned(count), type])), ...body.flat(), 0x0b]),
  );
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([[...name('env'), ...name('memory'), 2, 0, 1]])),
    ...section(3, list(functions.map((_, index) => unsigned(index)))),
    ...section(7, list(functions.map((each, index) => [...name(each.name), 0, ...unsigned(index)]))),
    ...section(10, list(bodies)),
  ]);
}
