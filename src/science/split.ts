import { uniform } from '../model/random.ts';

/** Training and validation side: a group is never torn, and each label is shared out as was asked. Pure. */

export interface Grouped {
  readonly group: string;
  /** 0 none, 1 opacity. */
  readonly target: 0 | 1;
}

export interface Split<T> {
  readonly training: readonly T[];
  readonly validation: readonly T[];
}

interface Group<T> {
  readonly films: readonly T[];
  readonly counts: Counts;
}

/** Films of target 0 and of target 1. */
type Counts = readonly [none: number, opacity: number];

/**
 * Splits films by group, so that the share of each label in training comes as near to `share` as whole groups allow; with
 * groups of one film that is `share` rounded to a film. Groups that hold both labels are shared out among themselves first;
 * those of one label then mend what is left over. The order of the films is kept; the seed decides which groups go where.
 */
export function splitByGroup<T extends Grouped>(films: readonly T[], share: number, seed: number): Split<T> {
  const groups = shuffled(groupsOf(films), uniform(seed));
  const isMixed = ({ counts: [none, opacity] }: Group<T>) => none > 0 && opacity > 0;
  const mixed = groups.filter(isMixed);
  const wanted = (among: readonly Group<T>[]): Counts =>
    [0, 1].map((i) => share * sum(among, i as 0 | 1)) as [number, number];
  const first = fill(mixed, wanted(mixed));
  const left = subtract(wanted(groups), [sum(first, 0), sum(first, 1)]);
  const rest = fill(
    groups.filter((group) => !isMixed(group)),
    left,
  );
  const training = new Set([...first, ...rest].flatMap((group) => group.films));
  return {
    training: films.filter((film) => training.has(film)),
    validation: films.filter((film) => !training.has(film)),
  };
}

/** Takes groups in their order, each that brings the counts nearer to what is wanted, or as near. */
function fill<T>(groups: readonly Group<T>[], wanted: Counts): readonly Group<T>[] {
  let missing = wanted;
  return groups.filter(({ counts }) => {
    const after = subtract(missing, counts);
    const nearer = distance(after) <= distance(missing);
    if (nearer) missing = after;
    return nearer;
  });
}

const sum = <T>(groups: readonly Group<T>[], target: 0 | 1): number =>
  groups.reduce((total, { counts }) => total + counts[target], 0);
const subtract = ([a, b]: Counts, [c, d]: Counts): Counts => [a - c, b - d];
/** Squared: to be off in both labels by one is better than by two in one. */
const distance = ([none, opacity]: Counts): number => none ** 2 + opacity ** 2;

function groupsOf<T extends Grouped>(films: readonly T[]): readonly Group<T>[] {
  const members = Map.groupBy(films, ({ group }) => group);
  return [...members.values()].map((inGroup) => {
    const opacity = inGroup.reduce((total, { target }) => total + target, 0);
    return { films: inGroup, counts: [inGroup.length - opacity, opacity] };
  });
}

/** A new order out of one draw for each place (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], draw: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(draw() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
