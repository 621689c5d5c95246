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
  /** Films of target 0 and of target 1. */
  readonly counts: readonly [number, number];
}

/**
 * Splits films by group, so that the share of each label in training comes as near to `share` as whole groups allow; with
 * groups of one film that is `share` rounded to a film. Groups that hold both labels are dealt first, since those of one label
 * can still mend what they tip. The order of the films is kept; the seed decides which groups go where.
 */
export function splitByGroup<T extends Grouped>(films: readonly T[], share: number, seed: number): Split<T> {
  const groups = shuffled(groupsOf(films), uniform(seed));
  const mixed = groups.filter(({ counts: [none, opacity] }) => none > 0 && opacity > 0);
  const pure = groups.filter(({ counts: [none, opacity] }) => none === 0 || opacity === 0);
  const total = groups.reduce<[number, number]>((sum, { counts }) => [sum[0] + counts[0], sum[1] + counts[1]], [0, 0]);
  const missing: [number, number] = [share * total[0], share * total[1]];
  const training = new Set<T>();
  for (const { films: members, counts } of [...mixed, ...pure]) {
    const after = [missing[0] - counts[0], missing[1] - counts[1]] as const;
    if (distance(after) > distance(missing)) continue;
    [missing[0], missing[1]] = after;
    for (const film of members) training.add(film);
  }
  return {
    training: films.filter((film) => training.has(film)),
    validation: films.filter((film) => !training.has(film)),
  };
}

const distance = ([none, opacity]: readonly [number, number]): number => Math.abs(none) + Math.abs(opacity);

function groupsOf<T extends Grouped>(films: readonly T[]): readonly Group<T>[] {
  const members = Map.groupBy(films, ({ group }) => group);
  return [...members.values()].map((inGroup) => {
    const opacity = inGroup.reduce((sum, { target }) => sum + target, 0);
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
