/** The lead letter L that a radiographer puts at the patient's left: opaque, so that it stays white. */

/** Strokes on a grid of 1, x to the right and y down. */
const strokes: readonly (readonly [x0: number, y0: number, x1: number, y1: number])[] = [
  [0, 0, 0.24, 1],
  [0, 0.8, 0.66, 1],
];

/** Place of the letter on the film, as parts of its width. */
const [left, top, height] = [0.915, 0.035, 0.05];

export function markerMask(columns: number): (column: number, row: number) => boolean {
  return (column, row) => {
    const [x, y] = [(column / columns - left) / height, (row / columns - top) / height];
    return strokes.some(([x0, y0, x1, y1]) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
  };
}
