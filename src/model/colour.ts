/** The colours of the heat-map: deep blue for the least important places, over cyan and yellow, to deep red for the most. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** Share of the heat scale at which the colour reaches its full weight; below, the film shows through more and more. */
const fullWeightFrom = 0.25;
const fullWeight = 0.5;

const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));

/** Colour of an importance from 0 to 1. Each channel is a trapezoid, as in the well-known "jet" scale. */
export function heatColour(importance: number): Rgb {
  const t = clamp01(importance);
  const channel = (centre: number) => Math.round(255 * clamp01(1.5 - Math.abs(4 * t - centre)));
  return [channel(3), channel(2), channel(1)];
}

/** How much of the colour covers the film: nothing at 0, so that a map without positive values draws nothing. */
export function heatWeight(importance: number): number {
  return fullWeight * clamp01(importance / fullWeightFrom);
}

/** What the heat does to a pixel: the share of the film that stays, and the colour that is added. */
export interface Paint {
  readonly film: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

export const lastPaint = 1023;

/** Paints of the importances from 0 to 1, in even steps. */
export const paints: readonly Paint[] = Array.from({ length: lastPaint + 1 }, (_, step) => {
  const weight = heatWeight(step / lastPaint);
  const [red, green, blue] = heatColour(step / lastPaint);
  return { film: 1 - weight, red: weight * red, green: weight * green, blue: weight * blue };
});
