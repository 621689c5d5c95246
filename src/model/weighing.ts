import {
  addDoubles,
  advance,
  type Bytes,
  call,
  constant,
  get,
  i32,
  load,
  loadInteger,
  loadTwice,
  moduleOf,
  multiplyDoubles,
  set,
  shuffle,
  store,
  times,
  toDoubles,
  toFloats,
  v128,
  type WasmFunction,
  zero,
} from './wasm-code.ts';

/**
 * The inner loops of resampling on four lines at once, in WebAssembly: V8 makes no vector instructions out of JavaScript. Products and
 * sums are doubles and come in the order of `resample.ts`, so that both give the same numbers to the last bit.
 */

/** Addresses and strides in bytes. */
export interface Weighing {
  /**
   * For each of `outputs` outputs and each of `groups` groups of four neighbours: the weighted sum of as many vectors, `step` apart, as the
   * output has weights. Vectors come out one behind the other, those of one output together.
   */
  weigh(
    from: number,
    step: number,
    groups: number,
    weights: number,
    firsts: number,
    counts: number,
    outputs: number,
    to: number,
  ): void;
  /** Transposes `blocks` blocks of 4 × 4 floats; vectors of a block are `lane` apart, blocks `step`. */
  transpose(
    from: number,
    fromLane: number,
    fromStep: number,
    to: number,
    toLane: number,
    toStep: number,
    blocks: number,
  ): void;
}

const vectorBytes = 16;

function weigh(): WasmFunction {
  const [from, step, groups, weights, firsts, counts, outputs, to] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [group, tap, source, weight, start] = [8, 9, 10, 11, 12] as const;
  const [low, high, vector] = [13, 14, 15] as const;
  const addHalf = (sum: number, ...half: readonly Bytes[]): Bytes =>
    [get(sum), get(weight), loadTwice, ...half, toDoubles, multiplyDoubles, addDoubles, set(sum)].flat();
  const oneTap = times(
    tap,
    [...get(source), ...load, ...set(vector)],
    addHalf(low, get(vector)),
    addHalf(high, get(vector), get(vector), shuffle(2, 3, 2, 3)),
    advance(source, get(step)),
    advance(weight, constant(8)),
  );
  const oneGroup = times(
    group,
    [...get(start), ...set(source), ...get(weights), ...set(weight)],
    [...get(counts), ...loadInteger, ...set(tap)],
    [...zero, ...set(low), ...zero, ...set(high)],
    oneTap,
    [...get(to), ...get(low), ...toFloats, ...get(high), ...toFloats, ...shuffle(0, 1, 4, 5), ...store],
    advance(to, constant(vectorBytes)),
    advance(start, constant(vectorBytes)),
  );
  const oneOutput = times(
    outputs,
    [...get(from), ...get(firsts), ...loadInteger, ...get(step), ...call.multiply, ...call.add, ...set(start)],
    [...get(groups), ...set(group)],
    oneGroup,
    advance(weights, get(counts), loadInteger, constant(8), call.multiply),
    advance(firsts, constant(4)),
    advance(counts, constant(4)),
  );
  const locals = [
    { count: 5, type: i32 },
    { count: 3, type: v128 },
  ];
  return { name: 'weigh', parameters: 8, locals, body: [oneOutput] };
}

function transpose(): WasmFunction {
  const [from, fromLane, fromStep, to, toLane, toStep, blocks] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [address, first] = [7, 8] as const;
  const lines = [0, 1, 2, 3].map((line) => first + line);
  const halves = lines.map((line) => line + 4);
  const [a = 0, b = 0, c = 0, d = 0] = lines;
  const [ab = 0, cd = 0, ba = 0, dc = 0] = halves;
  const mix = (left: number, right: number, into: number, ...lanes: Parameters<typeof shuffle>): Bytes =>
    [get(left), get(right), shuffle(...lanes), set(into)].flat();
  const write = (left: number, right: number, ...lanes: Parameters<typeof shuffle>): Bytes =>
    [get(address), get(left), get(right), shuffle(...lanes), store, advance(address, get(toLane))].flat();
  const block = times(
    blocks,
    [...get(from), ...set(address)],
    lines.flatMap((line) => [...get(address), ...load, ...set(line), ...advance(address, get(fromLane))]),
    [...mix(a, b, ab, 0, 4, 1, 5), ...mix(c, d, cd, 0, 4, 1, 5)],
    [...mix(a, b, ba, 2, 6, 3, 7), ...mix(c, d, dc, 2, 6, 3, 7)],
    [...get(to), ...set(address)],
    [...write(ab, cd, 0, 1, 4, 5), ...write(ab, cd, 2, 3, 6, 7)],
    [...write(ba, dc, 0, 1, 4, 5), ...write(ba, dc, 2, 3, 6, 7)],
    advance(from, get(fromStep)),
    advance(to, get(toStep)),
  );
  const locals = [
    { count: 1, type: i32 },
    { count: 8, type: v128 },
  ];
  return { name: 'transpose', parameters: 7, locals, body: [block] };
}

/** What of it is used; Node's types leave it to those of browsers. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
  validate(code: Uint8Array): boolean;
};

/** Of one page of 64 KiB. */
export const openMemory = (): Memory => new WebAssembly.Memory({ initial: 1 });

/** Null where the processor has no vectors of 128 bits. */
export function openWeighing(memory: Memory): Weighing | null {
  const code = moduleOf([weigh(), transpose()]);
  if (!WebAssembly.validate(code)) return null;
  return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports as Weighing;
}
