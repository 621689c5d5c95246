import { type Markup, markup } from '../core/markup.ts';
import { corner, edge } from './masks.ts';
import { cell, count, decimal, percent, table } from './report-tables.ts';
import { type Change, type ChangeName, type Compared, equalised, type Shortcuts } from './shortcuts.ts';

/** The part of the report that tells what a model leans on. */

const wholePercent = (share: number): string => `${Math.round(100 * share)} %`;

const titles: Readonly<Record<ChangeName, string>> = {
  edges_masked: `Outer ${wholePercent(edge)} masked`,
  corners_masked: 'Corners masked',
  lungs_masked: 'Lungs masked',
  lungs_alone: 'All but the lungs masked',
  equalised: 'Resolution and aspect equalised',
};

const meanings: Readonly<Record<ChangeName, string>> = {
  edges_masked: `the outer ${wholePercent(edge)} at each side are painted over. A fall means that borders, arms or what stands beside the chest were used.`,
  corners_masked: `squares of ${wholePercent(corner)} of width and height. A fall means that markers and letters were used.`,
  lungs_masked: 'must fall to 0.5. What is left above is told by something that is no lung.',
  lungs_alone: 'for information: what the lungs alone tell, as far as a fixed template holds them.',
  equalised: `every film squashed to ${equalised.side} × ${equalised.side} and encoded alike. A fall means that size, aspect, sharpness or the encoder told the sources apart.`,
};

export function shortcutSection(number: number, { changes, dicomLeftOut }: Shortcuts): Markup {
  const title =
    'The same films scored again after a change, with DeLong’s intervals, and the change against the whole film with that of correlated curves. What is masked has the median grey of its film.';
  const names = ['Change', 'Positive', 'Negative', 'AUC', 'Whole film', 'Change of the AUC', 'Scores unmoved'];
  const rows = changes.flatMap((change) => [changeRow(change), ...strataRows(change)]);
  const left =
    dicomLeftOut === 0
      ? markup``
      : markup`<p class="small">${count(dicomLeftOut)} DICOM films were left out: they are not changed and written again.</p>`;
  return markup`<h2>What the model leans on</h2>
<ul class="small">${changes.map(({ name }) => markup`<li><b>${titles[name]}</b>: ${meanings[name]}</li>`)}</ul>
${table({ number, title: title + refusals(changes) }, names, rows)}${left}`;
}

function changeRow(change: Change): Markup {
  const scored = change.positives + change.negatives;
  const unmoved = percent(scored === 0 ? null : change.unmoved / scored);
  return markup`<tr class="chosen"><td>${titles[change.name]}</td>${figuresOf(change)}<td>${unmoved}</td></tr>`;
}

/** Strata that have figures of their own; one alone would repeat the row above. */
function strataRows({ bySource, byView }: Change): readonly Markup[] {
  const shown = [bySource, byView].flatMap((strata) => {
    const told = strata.filter(({ area }) => area.value !== null);
    return strata.length > 1 ? told : [];
  });
  return shown.map(
    ({ stratum, ...figures }) =>
      markup`<tr><td>&nbsp;&nbsp;${stratum ?? 'not told'}</td>${figuresOf(figures)}<td></td></tr>`,
  );
}

const figuresOf = ({ positives, negatives, area, whole, change }: Compared): Markup =>
  markup`<td>${count(positives)}</td><td>${count(negatives)}</td>${cell(area, decimal)}<td>${decimal(whole.value)}</td>${cell(change, signed)}`;

const signed = (value: number | null): string =>
  value === null ? '–' : `${value < 0 ? '−' : '+'}${decimal(Math.abs(value))}`;

function refusals(changes: readonly Change[]): string {
  const refused = changes.filter((change) => change.refused > 0);
  if (refused.length === 0) return '';
  const told = refused.map(({ name, refused: films }) => `${titles[name].toLowerCase()} ${count(films)}`);
  return ` Films that the reader refused after the change: ${told.join(', ')}.`;
}
