/** Closed lines of equal value in a grid (marching squares). */

export type Point = readonly [x: number, y: number];

/** Values at the crossings of lines x[column] and y[row]. The outermost lines must lie below any level that is asked for. */
export interface Grid {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** y.length × x.length, row by row. */
  readonly values: ArrayLike<number>;
}

/** An edge of the grid, by its two crossings, always the lower one first. */
type Edge = readonly [from: number, to: number];

/**
 * For each corner pattern (bit 0 top left, 1 top right, 2 bottom right, 3 bottom left), the pairs of sides (0 top, 1 right,
 * 2 bottom, 3 left) that a line joins, walked with the higher values on its left hand as one looks at the film. The two
 * saddles (5 and 10) keep their high corners apart.
 */
const joined = ['', '30', '01', '31', '12', '30 12', '02', '32', '23', '20', '01 23', '21', '13', '10', '03', ''].map(
  (pairs) =>
    pairs
      .split(' ')
      .filter(Boolean)
      .map((pair) => [Number(pair[0]), Number(pair[1])] as const),
);

/** All closed lines at a level. Each starts and ends in the same point. */
export function contours(grid: Grid, level: number): readonly (readonly Point[])[] {
  const next = new Map<string, { readonly edge: Edge; readonly to: string }>();
  const columns = grid.x.length;
  for (let row = 0; row + 1 < grid.y.length; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const first = row * columns + column;
      const corners = [first, first + 1, first + columns + 1, first + columns] as const;
      const pattern = corners.reduce((bits, corner, bit) => bits | (Number(grid.values[corner]! >= level) << bit), 0);
      for (const [from, to] of joined[pattern]!) {
        const edge = sideOf(corners, from);
        next.set(edge.join(), { edge, to: sideOf(corners, to).join() });
      }
    }
  }
  return followed(next).map((edges) => edges.map((edge) => crossing(grid, edge, level)));
}

function sideOf(corners: readonly [number, number, number, number], side: number): Edge {
  const [a, b] = [corners[side]!, corners[(side + 1) % 4]!];
  return a < b ? [a, b] : [b, a];
}

function followed(next: Map<string, { readonly edge: Edge; readonly to: string }>): readonly (readonly Edge[])[] {
  const lines: Edge[][] = [];
  for (const [start] of next) {
    const line: Edge[] = [];
    for (let step = next.get(start), key = start; step; step = next.get(key)) {
      line.push(step.edge);
      next.delete(key);
      key = step.to;
    }
    if (line[0]) lines.push([...line, line[0]]);
  }
  return lines;
}

/** Where the level lies between the two ends of an edge, linearly. */
function crossing({ x, y, values }: Grid, [from, to]: Edge, level: number): Point {
  const columns = x.length;
  const low = values[from]!;
  const share = (level - low) / (values[to]! - low);
  const along = (lines: readonly number[], a: number, b: number) => lines[a]! + share * (lines[b]! - lines[a]!);
  return [along(x, from % columns, to % columns), along(y, Math.floor(from / columns), Math.floor(to / columns))];
}

/** Area that a closed line goes around (shoelace formula), never negative. */
export function areaOf(line: readonly Point[]): number {
  let twice = 0;
  for (let i = 0; i + 1 < line.length; i++) {
    const [x0, y0] = line[i]!;
    const [x1, y1] = line[i + 1]!;
    twice += x0 * y1 - x1 * y0;
  }
  return Math.abs(twice) / 2;
}
