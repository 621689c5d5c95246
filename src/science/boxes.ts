import { Failure } from '../core/failure.ts';
import type { Cell, Place } from '../core/lungs.ts';
import type { Row } from './table.ts';

/**
 * The column `box`: what a person drew on a film, `finding:x;y;width;height`, several joined by `|`, the finding left out at will.
 * Pixels from the top left corner of a film that is 1,024 wide and high, as in ChestX-ray14, whatever the size of the file is.
 */

const frame = 1024;
/** Some boxes of that collection end a fraction of a pixel outside. */
const slack = 1;

/** Edges as shares of the film. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Empty where the row has none. Raises `table-invalid` with line and column. */
export function boxesOf({ cells, line }: Row, table: string): readonly Box[] {
  const text = cells['box'] ?? '';
  if (text === '') return [];
  return text.split('|').map((part) => {
    const box = boxOf(part);
    if (box) return box;
    const expected = `finding:x;y;width;height inside ${frame} × ${frame}, several joined by |`;
    throw new Failure('table-invalid', {
      where: `${table}, line ${line}, column box`,
      expected,
      got: part.slice(0, 40),
    });
  });
}

const number = /^\s*\d+(\.\d+)?\s*$/;

function boxOf(text: string): Box | null {
  const parts = text.slice(text.lastIndexOf(':') + 1).split(';');
  if (parts.length !== 4 || !parts.every((part) => number.test(part))) return null;
  const [x, y, width, height] = parts.map(Number) as [number, number, number, number];
  const fits = width > 0 && height > 0 && x + width <= frame + slack && y + height <= frame + slack;
  if (!fits) return null;
  return { left: x / frame, top: y / frame, right: (x + width) / frame, bottom: (y + height) / frame };
}

/** Distance of a place from the nearest box, in cells; 0 inside, infinite where there is no box. */
export function boxDistance(boxes: readonly Box[], [x, y]: Place, [width, height]: Cell): number {
  const distances = boxes.map(({ left, top, right, bottom }) =>
    Math.hypot(Math.max(left - x, 0, x - right) / width, Math.max(top - y, 0, y - bottom) / height),
  );
  return Math.min(...distances);
}
