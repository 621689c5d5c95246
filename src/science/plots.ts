import { type Markup, markup } from '../core/markup.ts';
import type { Assessment } from './assess.ts';
import type { Calibration, CalibrationBin } from './calibration.ts';
import type { OperatingPoint } from './operating.ts';
import { colours, diagonal, diagonalWords, frame, pathOf, plot, round, xOf, yOf } from './plot-frame.ts';
import { corners } from './roc.ts';
import { negativesOf, positivesOf, type Scored } from './scored.ts';

/** The figures of the report as SVG. Pure. */

export function rocPlot({ curve, points }: Assessment): Markup {
  const line = pathOf(corners(curve).map(({ falsePositiveRate, sensitivity }) => [falsePositiveRate, sensitivity]));
  const axes = {
    description: 'ROC curve with the line of no discrimination and the operating points',
    x: '1 − specificity',
    y: 'Sensitivity',
  };
  return frame(axes, [
    markup`<path d="${line}L${xOf(1)} ${yOf(0)}Z" fill="${colours.curve}" fill-opacity=".07"/>`,
    diagonal,
    diagonalWords('no discrimination', 0.72),
    markup`<path d="${line}" fill="none" stroke="${colours.curve}" stroke-width="1.8" stroke-linejoin="round"/>`,
    ...points.toReversed().flatMap(operatingMark),
    legendOf(points),
  ]);
}

/** The model's own point is filled, the others are told by their shape: no colour carries a meaning alone. */
const shapes: Readonly<Record<OperatingPoint['name'], string>> = {
  manifest: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z',
  half: 'M-4.5 -4.5h9v9h-9Z',
  youden: 'M0 -5.5L5.2 4H-5.2Z',
  specificity: 'M0 -6L6 0L0 6L-6 0Z',
};

function mark(name: OperatingPoint['name'], x: number, y: number): Markup {
  const fill = name === 'manifest' ? colours.positive : '#fff';
  return markup`<path d="${shapes[name]}" transform="translate(${x} ${y})" fill="${fill}" stroke="${colours.positive}" stroke-width="1.5"/>`;
}

function operatingMark({ name, performance }: OperatingPoint): readonly Markup[] {
  const { sensitivity, specificity } = performance;
  if (sensitivity.value === null || specificity.value === null) return [];
  return [mark(name, xOf(1 - specificity.value), yOf(sensitivity.value))];
}

function legendOf(points: readonly OperatingPoint[]): Markup {
  const left = xOf(0.5);
  const lines = points.map(({ name, title, threshold }, index) => {
    const y = round(yOf(0.235) + index * 17);
    return markup`${mark(name, left, y)}<text x="${left + 12}" y="${y + 4}">${title}, ${thresholdText(threshold)}</text>`;
  });
  return markup`<rect x="${left - 12}" y="${yOf(0.235) - 13}" width="${xOf(1) - left + 10}" height="${17 * points.length + 9}" fill="#fff" fill-opacity=".85"/><g font-size="10.5">${lines}</g>`;
}

export const thresholdText = (threshold: number): string =>
  Number.isFinite(threshold) ? threshold.toFixed(3) : 'none';

export function calibrationPlot({ bins }: Calibration): Markup {
  const told = bins.filter(({ n }) => n > 0);
  const most = Math.max(...bins.map(({ n }) => n));
  const axes = {
    description: 'Calibration: share of positive films against mean score, in ten bins',
    x: 'Mean score of the bin',
    y: 'Share of positive films',
  };
  const line = pathOf(told.map(({ meanScore, shareOfPositives }) => [meanScore!, shareOfPositives!]));
  return frame(axes, [
    ...bins.map((bin) => countBar(bin, most)),
    diagonal,
    diagonalWords('perfect', 0.85),
    markup`<path d="${line}" fill="none" stroke="${colours.curve}" stroke-width="1.4"/>`,
    ...told.map(calibrationMark),
  ]);
}

/** How many films stand behind each bin; the fullest is a fifth of the plot high. */
function countBar({ low, high, n }: CalibrationBin, most: number): Markup {
  const height = 0.2 * (n / most);
  return markup`<rect x="${xOf(low) + 1}" y="${yOf(height)}" width="${round((high - low) * plot.side - 2)}" height="${round(height * plot.side)}" fill="${colours.curve}" fill-opacity=".16"/>`;
}

function calibrationMark({ meanScore, shareOfPositives, ci95 }: CalibrationBin): Markup {
  const x = xOf(meanScore!);
  const [low, high] = ci95!;
  return markup`<path d="M${x} ${yOf(low)}V${yOf(high)}M${x - 3} ${yOf(low)}h6M${x - 3} ${yOf(high)}h6" stroke="${colours.curve}"/><circle cx="${x}" cy="${yOf(shareOfPositives!)}" r="3.6" fill="${colours.curve}"/>`;
}

const histogramBins = 25;

/** Scores of both classes, each class's own share in each bin, positives upwards and negatives downwards. */
export function scorePlot(films: readonly Scored[], threshold: number): Markup {
  const above = sharesOf(positivesOf(films));
  const below = sharesOf(negativesOf(films));
  const most = Math.max(...above, ...below);
  const bar = (share: number, index: number, upwards: boolean): Markup => {
    const height = 0.44 * (share / most);
    const y = upwards ? yOf(0.5 + height) : yOf(0.5);
    const fill = upwards ? colours.positive : colours.negative;
    return markup`<rect x="${round(xOf(index / histogramBins) + 0.5)}" y="${y}" width="${round(plot.side / histogramBins - 1)}" height="${round(height * plot.side)}" fill="${fill}" fill-opacity=".8"/>`;
  };
  const axes = { description: 'Distribution of the scores of both classes', x: 'Score', y: 'Share of the class' };
  const right = xOf(1) - 4;
  const inside = [
    ...above.map((share, index) => bar(share, index, true)),
    ...below.map((share, index) => bar(share, index, false)),
    markup`<path d="M${xOf(0)} ${yOf(0.5)}h${plot.side}" stroke="${colours.ink}"/>`,
    markup`<path d="M${xOf(threshold)} ${yOf(0)}V${yOf(1)}" stroke="${colours.ink}" stroke-dasharray="3 3"/>`,
    markup`<g font-size="11" text-anchor="end"><text x="${right}" y="${yOf(0.95)}" fill="${colours.positive}">positive</text><text x="${right}" y="${yOf(0.03)}" fill="${colours.negative}">negative</text></g>`,
  ];
  return frame(axes, inside, false);
}

function sharesOf(films: readonly Scored[]): readonly number[] {
  const counts = new Array<number>(histogramBins).fill(0);
  for (const { score } of films) counts[Math.min(histogramBins - 1, Math.floor(score * histogramBins))]!++;
  return counts.map((count) => count / Math.max(1, films.length));
}
