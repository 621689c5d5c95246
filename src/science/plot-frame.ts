import { type Markup, markup } from '../core/markup.ts';

/** A square plot over 0 to 1 in both directions, drawn by ourselves: a report that needs a script or a server is not kept. */

export const plot = { width: 400, height: 372, left: 52, top: 14, side: 310 } as const;

export const colours = {
  ink: '#1b2430',
  soft: '#6b7683',
  grid: '#e8ebef',
  curve: '#1f4e79',
  positive: '#b3461e',
  negative: '#3b6ea5',
} as const;

/** Position on the page of a value; two decimals are a hundredth of a pixel. */
export const xOf = (value: number): number => round(plot.left + value * plot.side);
export const yOf = (value: number): number => round(plot.top + (1 - value) * plot.side);
export const round = (value: number): number => Math.round(value * 100) / 100;

export interface Axes {
  /** Read out in place of the picture. */
  readonly description: string;
  readonly x: string;
  readonly y: string;
}

const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function frame({ description, x, y }: Axes, inside: readonly Markup[], yTicks = true): Markup {
  const middle = plot.left + plot.side / 2;
  const bottom = plot.top + plot.side;
  const upright = `rotate(-90 14 ${plot.top + plot.side / 2})`;
  return markup`<svg viewBox="0 0 ${plot.width} ${plot.height}" role="img" aria-label="${description}">
<g stroke="${colours.grid}">${ticks.map((t) => gridLines(t, yTicks))}</g>
<g font-size="11" fill="${colours.soft}">${ticks.map((t) => tickLabels(t, yTicks))}</g>
${inside}
<path d="M${plot.left} ${plot.top}V${bottom}H${plot.left + plot.side}" fill="none" stroke="${colours.ink}"/>
<text x="${middle}" y="${plot.height - 10}" text-anchor="middle" font-size="12.5">${x}</text>
<text x="14" y="${plot.top + plot.side / 2}" text-anchor="middle" font-size="12.5" transform="${upright}">${y}</text>
</svg>`;
}

function gridLines(t: number, horizontal: boolean): Markup {
  const across = horizontal ? markup`<path d="M${plot.left} ${yOf(t)}h${plot.side}"/>` : markup``;
  return markup`<path d="M${xOf(t)} ${plot.top}v${plot.side}"/>${across}`;
}

function tickLabels(t: number, vertical: boolean): Markup {
  const label = t.toFixed(1);
  const beside = vertical
    ? markup`<text x="${plot.left - 7}" y="${yOf(t) + 4}" text-anchor="end">${label}</text>`
    : markup``;
  return markup`<text x="${xOf(t)}" y="${plot.top + plot.side + 16}" text-anchor="middle">${label}</text>${beside}`;
}

export const diagonal: Markup = markup`<path d="M${xOf(0)} ${yOf(0)}L${xOf(1)} ${yOf(1)}" stroke="${colours.soft}" stroke-dasharray="5 4" fill="none"/>`;

/** Words along the diagonal. */
export function diagonalWords(words: string, at: number): Markup {
  return markup`<text transform="translate(${xOf(at) + 6} ${yOf(at) + 12}) rotate(-45)" text-anchor="middle" font-size="10.5" fill="${colours.soft}">${words}</text>`;
}

/** `M x y L x y …` of points in 0 to 1. */
export function pathOf(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${xOf(x)} ${yOf(y)}`).join('');
}
