import { type Markup, markup } from '../core/markup.ts';
import type { Assessment, Stratum } from './assess.ts';
import type { Evaluation } from './evaluation.ts';
import type { OperatingPoint } from './operating.ts';
import { thresholdText } from './plots.ts';
import type { Estimate } from './scored.ts';

/** The tables of the report. */

export const percent = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);
/** As it was asked for, in percent: 2.57 % stays 2.57 %. */
export const prevalenceText = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;
export const decimal = (value: number | null): string => (value === null ? '–' : value.toFixed(3));

export function withInterval({ value, ci95 }: Estimate, show: (value: number | null) => string): string {
  if (ci95 === null) return show(value);
  return `${show(value)} (${ci95.map((bound) => show(bound).replace(' %', '')).join(' to ')})`;
}

export function cell({ value, ci95 }: Estimate, show: (value: number | null) => string): Markup {
  if (ci95 === null) return markup`<td>${show(value)}</td>`;
  const [low, high] = ci95.map((bound) => show(bound).replace(' %', '')) as [string, string];
  // A dash between signs would be a third one.
  const bounds = /^[−+]/.test(low) ? `${low} to ${high}` : `${low}–${high}`;
  return markup`<td>${show(value)}<small>${bounds}</small></td>`;
}

const head = (names: readonly string[]): Markup =>
  markup`<thead><tr>${names.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead>`;

interface Titled {
  readonly number: number;
  readonly title: string;
}

export function table({ number, title }: Titled, names: readonly string[], rows: readonly Markup[]): Markup {
  return markup`<div class="scroll"><table><caption><b>Table ${number}.</b> ${title}</caption>${head(names)}<tbody>${rows}</tbody></table></div>`;
}

export function pointsTable(number: number, { points }: Assessment, prevalence: number): Markup {
  const title = `Operating points, with Wilson’s 95 % intervals. The four columns on the right are re-weighted to a prevalence of ${prevalenceText(prevalence)}. Points marked * were chosen on these very films: their figures are optimistic.`;
  const names = ['Operating point', 'Threshold', 'Sensitivity', 'Specificity', 'Accuracy'];
  const weighted = ['Re-weighted accuracy', 'PPV', 'NPV', 'Flags in 1,000'];
  return table({ number, title }, [...names, ...weighted], points.map(pointRow));
}

function pointRow({ name, title, threshold, chosenHere, performance, atPrevalence }: OperatingPoint): Markup {
  const { accuracy, ppv, npv, flagsPerThousand } = atPrevalence;
  return markup`<tr${name === 'manifest' ? markup` class="chosen"` : null}><td>${title}${chosenHere ? '\u00A0*' : ''}</td><td>${thresholdText(threshold)}</td>${cell(performance.sensitivity, percent)}${cell(performance.specificity, percent)}${cell(performance.accuracy, percent)}<td>${percent(accuracy)}</td><td>${percent(ppv)}</td><td>${percent(npv)}</td><td>${flagsPerThousand?.toFixed(0) ?? '–'}</td></tr>`;
}

export function confusionTable(number: number, { points }: Assessment): Markup {
  const { truePositives, falseNegatives, trueNegatives, falsePositives } = points[0]!.confusion;
  const row = (name: string, present: number, absent: number) =>
    markup`<tr><td>${name}</td><td>${count(present)}</td><td>${count(absent)}</td><td>${count(present + absent)}</td></tr>`;
  const rows = [
    row('Positive', truePositives, falseNegatives),
    row('Negative', falsePositives, trueNegatives),
    row('All', truePositives + falsePositives, falseNegatives + trueNegatives),
  ];
  const title = 'Decisions at the model’s own operating point against the labels.';
  return table({ number, title }, ['Label', 'Called present', 'Called absent', 'All'], rows);
}

export const count = (value: number): string => value.toLocaleString('en-US');

export function strataTable(number: number, of: string, strata: readonly Stratum[]): Markup {
  const title = `By ${of}, at the model’s own operating point. A figure stands only where a stratum has the films for it.`;
  const names = [of[0]!.toUpperCase() + of.slice(1), 'Positive', 'Negative', 'AUC', 'Sensitivity', 'Specificity'];
  return table({ number, title }, names, strata.map(stratumRow));
}

function stratumRow({ name, positives, negatives, area, performance }: Stratum): Markup {
  return markup`<tr><td>${name ?? 'not told'}</td><td>${count(positives)}</td><td>${count(negatives)}</td>${cell(area, decimal)}${cell(performance.sensitivity, percent)}${cell(performance.specificity, percent)}</tr>`;
}

const mostNamed = 200;

/** Rows that no figure counts, by name: whoever reads the report can look at them. */
export function leftOutTable(number: number, { scoring: { unreadable, alreadySeen } }: Evaluation): Markup {
  const left = [
    ...unreadable.map(({ file, line, code }) => ({ file, line, why: `unreadable: ${code}` })),
    ...alreadySeen.map(({ file, line, overlap }) => ({ file, line, why: `seen in training: the same ${overlap}` })),
  ];
  if (left.length === 0) return markup``;
  const rows = left
    .slice(0, mostNamed)
    .map(({ file, line, why }) => markup`<tr><td>${file}</td><td>${line}</td><td>${why}</td></tr>`);
  const rest = left.length > mostNamed ? ` The first ${mostNamed} of ${count(left.length)}; metrics.json has all.` : '';
  return table({ number, title: `Rows that no figure counts.${rest}` }, ['File', 'Line', 'Why'], rows);
}
