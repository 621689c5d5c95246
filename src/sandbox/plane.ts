/** Grids of numbers, row by row. */
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
  const radius = Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2);
  if (radius < 1) return plane;
  let values = plane.values;
  for (let pass = 0; pass < 3; pass++) {
    values = boxRows(values, plane.columns, plane.rows, radius);
    values = transposed(
      boxRows(transposed(values, plane.columns, plane.rows), plane.rows, plane.columns, radius),
      plane.rows,
      plane.columns,
    );
  }
  return { ...plane, values };
}

function boxRows(values: Float32Array, columns: number, rows: number, radius: number): Float32Array {
  const out = new Float32Array(values.length);
  const width = 2 * radius + 1;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const at = (column: number) => values[start + Math.min(columns - 1, Math.max(0, column))]!;
    let sum = 0;
    for (let column = -radius; column <= radius; column++) sum += at(column);
    for (let column = 0; column < columns; column++) {
      out[start + column] = sum / width;
      sum += at(column + radius + 1) - at(column - radius);
    }
  }
  return out;
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
  return fill(planeOf(Math.floor(columns / factor), Math.floor(rows / factor)), (column, row) => {
    let sum = 0;
    for (let y = row * factor; y < (row + 1) * factor; y++) {
      for (let x = column * factor; x < (column + 1) * factor; x++) sum += values[y * columns + x]!;
    }
    return sum / (factor * factor);
  });
}

/** Bilinear resampling to another size; pixel centres on pixel centres. */
export function resize(plane: Plane, columns: number, rows: number): Plane {
  const [scaleX, scaleY] = [plane.columns / columns, plane.rows / rows];
  const clampX = (column: number) => Math.min(plane.columns - 1, Math.max(0, column));
  const clampY = (row: number) => Math.min(plane.rows - 1, Math.max(0, row)) * plane.columns;
  return fill(planeOf(columns, rows), (column, row) => {
    const [x, y] = [(column + 0.5) * scaleX - 0.5, (row + 0.5) * scaleY - 0.5];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - left, y - top];
    const [l, r, t, b] = [clampX(left), clampX(left + 1), clampY(top), clampY(top + 1)];
    const { values } = plane;
    return (
      (values[t + l]! * (1 - fx) + values[t + r]! * fx) * (1 - fy) +
      (values[b + l]! * (1 - fx) + values[b + r]! * fx) * fy
    );
  });
}
