/** Grids of numbers and what the film maker does with them. */

// Taken out once, see random.ts.
const { floor, max, min, round, sqrt } = Math;

/** A grid of numbers, row by row. */
export interface Plane {
  readonly columns: number;
  readonly rows: number;
  readonly values: Float32Array;
}

export const planeOf = (columns: number, rows: number): Plane => ({
  columns,
  rows,
  values: new Float32Array(columns * rows),
});

/** A plane of the same size whose values come from a function of column, row and index. */
export function fill({ columns, rows }: Plane, valueAt: (column: number, row: number, index: number) => number): Plane {
  const made = planeOf(columns, rows);
  for (let row = 0, index = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, index++) made.values[index] = valueAt(column, row, index);
  }
  return made;
}

/** Nearly Gaussian blur: three box means, edges repeated. `sigma` in pixels. */
export function blur(plane: Plane, sigma: number): Plane {
  const radius = round((sqrt(4 * sigma * sigma + 1) - 1) / 2);
  if (radius < 1) return plane;
  const { columns, rows } = plane;
  const across = transposed(boxRows(plane.values, columns, rows, radius), columns, rows);
  return { columns, rows, values: transposed(boxRows(across, rows, columns, radius), rows, columns) };
}

/** Three box means along the rows. */
function boxRows(values: Float32Array, columns: number, rows: number, radius: number): Float32Array {
  const out = values.slice();
  const line = new Float32Array(columns);
  for (let row = 0; row < rows; row++) {
    const target = out.subarray(row * columns, (row + 1) * columns);
    for (let pass = 0; pass < 3; pass++) {
      line.set(target);
      boxLine(line, target, radius);
    }
  }
  return out;
}

function boxLine(line: Float32Array, target: Float32Array, radius: number): void {
  const last = line.length - 1;
  const width = 2 * radius + 1;
  let sum = line[0]! * radius;
  for (let index = 0; index <= radius; index++) sum += line[min(last, index)]!;
  for (let index = 0; index <= last; index++) {
    target[index] = sum / width;
    const next = index + radius + 1;
    const past = index - radius;
    sum += line[min(last, next)]! - line[max(0, past)]!;
  }
}

function transposed(values: Float32Array, columns: number, rows: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}

/** Means of blocks of `factor` × `factor`; the rest at the right and the bottom is left out. */
export function shrink({ columns, rows, values }: Plane, factor: number): Plane {
  return fill(planeOf(floor(columns / factor), floor(rows / factor)), (column, row) => {
    let sum = 0;
    for (let y = row * factor; y < (row + 1) * factor; y++) {
      for (let x = column * factor; x < (column + 1) * factor; x++) sum += values[y * columns + x]!;
    }
    return sum / (factor * factor);
  });
}

/** Bilinear resampling to another size; pixel centres on pixel centres. */
export function resize(plane: Plane, columns: number, rows: number): Plane {
  const made = planeOf(columns, rows);
  const places = Float64Array.from({ length: columns }, (_, column) => placeOf(column, plane.columns, columns));
  const line = new Float32Array(plane.columns + 1);
  for (let row = 0, index = 0; row < rows; row++) {
    mixRows(plane, placeOf(row, plane.rows, rows), line);
    for (let column = 0; column < columns; column++, index++) {
      const place = places[column]!;
      const left = floor(place);
      made.values[index] = line[left]! + (line[left + 1]! - line[left]!) * (place - left);
    }
  }
  return made;
}

/** Where a pixel of the new grid lies on the old one. */
const placeOf = (index: number, old: number, made: number): number =>
  min(old - 1, max(0, ((index + 0.5) * old) / made - 0.5));

/** The row at a place between two rows; its last value stands twice. */
function mixRows({ columns, rows, values }: Plane, place: number, line: Float32Array): void {
  const top = floor(place);
  const share = place - top;
  const [upper, lower] = [top * columns, min(rows - 1, top + 1) * columns];
  for (let column = 0; column < columns; column++) {
    line[column] = values[upper + column]! * (1 - share) + values[lower + column]! * share;
  }
  line[columns] = line[columns - 1]!;
}
