import type { Drawing, DrawnText } from '../model/drawing.ts';
import { round } from './plot-frame.ts';
import type { Epoch } from './sgd.ts';
import type { Fit } from './softmax-head.ts';

/** The training curve: accuracy above, loss below, over the epochs; batches as a thin line, validation as dots. */

const columns = 900;
const panel = { left: 70, right: 880, rows: 230 } as const;
const tops = { accuracy: 70, loss: 370 } as const;
const rows = 680;
const colours = {
  training: '#9db7d5',
  validation: '#c2410c',
  ink: '#1f2937',
  grid: '#d1d5db',
  kept: '#15803d',
} as const;
/** Means of batches that are drawn for an epoch: ten films alone jump too much to be looked at. */
const meansPerEpoch = 20;

type Measure = keyof Fit;
type Point = readonly [x: number, y: number];

export function drawCurve(epochs: readonly Epoch[], kept: Epoch): Drawing {
  const accuracy = panelOf(epochs, kept, 'accuracy', 1);
  const lossTop = niceTop(
    Math.max(...[...trainingLine(epochs, 'loss'), ...validationLine(epochs, 'loss')].map(([, y]) => y)),
  );
  const loss = panelOf(epochs, kept, 'loss', lossTop);
  return {
    columns,
    rows,
    title: `Training curve over ${epochs.length} epochs; epoch ${kept.number} is kept`,
    shapes: [accuracy.shapes, loss.shapes, legendShapes].join('\n'),
    texts: [
      label('Training of the last layer', panel.left, 24, { size: 18, bold: true }),
      ...legendTexts(kept),
      ...accuracy.texts,
      ...loss.texts,
      label('epoch', (panel.left + panel.right) / 2, rows - 18, { anchor: 'middle' }),
    ],
  };
}

function label(text: string, x: number, y: number, rest: Partial<DrawnText> = {}): DrawnText {
  return { text, x, y, anchor: 'start', size: 13, bold: false, colour: colours.ink, ...rest };
}

/** [epochs passed, value] of means over batches. */
function trainingLine(epochs: readonly Epoch[], measure: Measure): readonly Point[] {
  return epochs.flatMap(({ number, batches }) => {
    const bins = Math.min(meansPerEpoch, batches.length);
    return Array.from({ length: bins }, (_, bin): Point => {
      const from = Math.floor((bin * batches.length) / bins);
      const inBin = batches.slice(from, Math.floor(((bin + 1) * batches.length) / bins));
      const mean = inBin.reduce((sum, fit) => sum + fit[measure], 0) / inBin.length;
      return [number - 1 + (bin + 0.5) / bins, mean];
    });
  });
}

const validationLine = (epochs: readonly Epoch[], measure: Measure): readonly Point[] =>
  epochs.map(({ number, validation }) => [number, validation[measure]]);

/** The next of 1, 2 or 5 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= value) ?? value;
}

interface Piece {
  readonly shapes: string;
  readonly texts: readonly DrawnText[];
}

function panelOf(epochs: readonly Epoch[], kept: Epoch, measure: Measure, top: number): Piece {
  const y0 = tops[measure];
  const toX = (epoch: number) => round(panel.left + (epoch / epochs.length) * (panel.right - panel.left));
  const toY = (value: number) => round(y0 + panel.rows * (1 - value / top));
  const path = (points: readonly Point[]) => points.map(([x, y]) => `${toX(x)},${toY(y)}`).join(' ');
  const dots = validationLine(epochs, measure);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * top);
  const marks = epochTicks(epochs.length);
  return {
    shapes: [
      ...ticks.map((value) => line(panel.left, toY(value), panel.right, toY(value), colours.grid)),
      line(toX(kept.number), y0, toX(kept.number), y0 + panel.rows, colours.kept, ' stroke-dasharray="5 4"'),
      polyline(path(trainingLine(epochs, measure)), colours.training, 1.5),
      polyline(path(dots), colours.validation, 2),
      ...dots.map(([x, y]) => `<circle cx="${toX(x)}" cy="${toY(y)}" r="4" fill="${colours.validation}"/>`),
    ].join('\n'),
    texts: [
      label(measure, panel.left, y0 - 14, { bold: true }),
      ...ticks.map((value) =>
        label(String(Number(value.toPrecision(3))), panel.left - 8, toY(value), { anchor: 'end' }),
      ),
      ...marks.map((epoch) => label(String(epoch), toX(epoch), y0 + panel.rows + 16, { anchor: 'middle' })),
    ],
  };
}

/** At most ten or so numbers below a panel, 0 and the last among them. */
function epochTicks(epochs: number): readonly number[] {
  const step = Math.ceil(epochs / 10);
  const ticks = Array.from({ length: Math.floor(epochs / step) + 1 }, (_, i) => i * step);
  return ticks.at(-1) === epochs ? ticks : [...ticks.slice(0, -1), epochs];
}

const line = (x1: number, y1: number, x2: number, y2: number, colour: string, rest = '') =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"${rest}/>`;
const polyline = (points: string, colour: string, width: number) =>
  `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;

const legendRow = 27;
const legendAt = { training: 420, validation: 570, kept: 700 } as const;
const legendShapes = [
  line(legendAt.training - 32, legendRow, legendAt.training - 8, legendRow, colours.training, ' stroke-width="3"'),
  line(
    legendAt.validation - 32,
    legendRow,
    legendAt.validation - 8,
    legendRow,
    colours.validation,
    ' stroke-width="3"',
  ),
  line(
    legendAt.kept - 32,
    legendRow,
    legendAt.kept - 8,
    legendRow,
    colours.kept,
    ' stroke-width="2" stroke-dasharray="5 4"',
  ),
].join('\n');

const legendTexts = (kept: Epoch): readonly DrawnText[] => [
  label('training', legendAt.training, legendRow),
  label('validation', legendAt.validation, legendRow),
  label(`kept: epoch ${kept.number}`, legendAt.kept, legendRow),
];
