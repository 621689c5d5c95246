/** A small generator with a seed: the same offsets in every run. */
export function* seeded(seed: number, below: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state % below;
  }
}
