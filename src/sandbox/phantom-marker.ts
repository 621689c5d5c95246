/** The lead letter L that a radiographer puts at the patient's left: opaque, so that it stays white. */

/** Strokes of the letter, as parts of its height; x to the right, y down. */
const strokes: readonly (readonly [left: number, top: number, right: number, bottom: number])[] = [
  [0, 0, 0.24, 1],
  [0, 0.8, 0.66, 1],
];

/** Place and height of the letter, as parts of the film's width. */
const place = { left: 0.915, top: 0.035, height: 0.05 } as const;

export function drawMarker(values: Uint16Array, columns: number, white: number): void {
  const size = place.height * columns;
  const at = (start: number, part: number) => Math.round(start * columns + part * size);
  for (const [left, top, right, bottom] of strokes) {
    for (let row = at(place.top, top); row < at(place.top, bottom); row++) {
      values.fill(white, row * columns + at(place.left, left), row * columns + at(place.left, right));
    }
  }
}
