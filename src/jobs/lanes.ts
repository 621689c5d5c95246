/**
 * Which job comes next out of a backlog, whatever engine holds it (fault 17). Of every twelve claims eight are for urgent studies,
 * three for the newest of the others, one for the oldest: a patient of today is not behind last week's, and last week's come.
 */

/**
 * `stat`: urgent, due longest first. `newest`: routine, announced last first. `oldest`: routine, due longest first. Only a job that
 * is due is in a lane.
 */
export type Lane = 'stat' | 'newest' | 'oldest';

/** A study that turns urgent waits for one claim of another lane at most. */
export const lanePattern: readonly Lane[] = [
  ...(['stat', 'stat', 'newest'] as const),
  ...(['stat', 'stat', 'newest'] as const),
  ...(['stat', 'stat', 'newest'] as const),
  ...(['stat', 'stat', 'oldest'] as const),
];

export interface Lanes {
  /** Each lane once, in the order of their turns; a lane without a job gives its turn on. */
  turns(): readonly Turn[];
}

export interface Turn {
  readonly lane: Lane;
  /** A job of this lane was claimed: the turn moves on. */
  served(): void;
}

/** The turn is kept in memory: a restart begins the pattern anew, with `stat`. */
export function createLanes(): Lanes {
  let turn = 0;
  return {
    turns() {
      const ahead = lanePattern.map((_, step) => (turn + step) % lanePattern.length);
      const first = new Map<Lane, number>();
      for (const at of ahead) {
        const lane = lanePattern[at]!;
        if (!first.has(lane)) first.set(lane, (at + 1) % lanePattern.length);
      }
      const serve = (after: number) => () => {
        turn = after;
      };
      return [...first].map(([lane, after]) => ({ lane, served: serve(after) }));
    },
  };
}
