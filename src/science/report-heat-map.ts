import { zones } from '../core/lungs.ts';
import { type Markup, markup } from '../core/markup.ts';
import { zoneText } from '../core/wording.ts';
import type { HeatMaps, LungMass } from './heat-map.ts';
import type { Hits } from './pointing.ts';
import { cell, count, percent, table } from './report-tables.ts';

/** The part of the report that tells where the heat-maps lie. */

/** Takes the numbers of two tables from `first` on. */
export function heatMapSection(first: number, maps: HeatMaps): Markup {
  return markup`<h2>Where the heat-maps lie</h2>
${massTable(first, maps)}
${pointingTable(first + 1, maps)}
${zoneWords(maps)}`;
}

function massTable(number: number, { calledPositive, all, bySource }: HeatMaps): Markup {
  const title =
    'Share of the map’s mass inside a fixed template of the lungs, widened by one cell of the map, mean with the interval of resampled groups, and median; and inside the template as it is drawn. Beside each, what a map would have that is everywhere the same: a share no higher tells nothing.';
  const names = ['Films', 'n', 'Widened', 'Median', 'Flat map', 'As drawn', 'Flat map'];
  const sources = bySource.length > 1 ? bySource : [];
  const rows = [
    massRow('Called positive', calledPositive),
    massRow('All', all),
    ...sources.map(({ name, mass }) => massRow(name ?? 'not told', mass)),
  ];
  const without = all.withoutMass === 0 ? '' : ` ${count(all.withoutMass)} maps have no positive value and no share.`;
  return table({ number, title: title + without }, names, rows);
}

function massRow(name: string, { n, mean, meanCi95, median, meanOfFlat, strict }: LungMass): Markup {
  return markup`<tr><td>${name}</td><td>${count(n)}</td>${cell({ value: mean, ci95: meanCi95 }, percent)}<td>${percent(median)}</td><td>${percent(meanOfFlat)}</td><td>${percent(strict.mean)}</td><td>${percent(strict.meanOfFlat)}</td></tr>`;
}

function pointingTable(number: number, { pointing }: HeatMaps): Markup {
  if (!pointing) return markup`<p class="small">No film of the table has a box that a map could point at.</p>`;
  const title =
    'Pointing game: films with boxes whose map is hottest inside one, and at most one cell beside it, with Wilson’s intervals. Beside each, what a place drawn at random in the lung template would reach, and the middle of a lung, either by a coin: a rate no higher tells no more than where lungs are.';
  const names = ['Films with boxes', 'n', 'Inside', 'By chance', 'Middle of a lung', 'One cell beside', 'By chance'];
  return table({ number, title }, names, [
    hitsRow('All', pointing),
    hitsRow('Called positive', pointing.calledPositive),
  ]);
}

function hitsRow(name: string, { n, hit, near, chance, chanceNear, centre }: Hits): Markup {
  return markup`<tr><td>${name}</td><td>${count(n)}</td>${cell(hit, percent)}<td>${percent(chance)}</td><td>${percent(centre)}</td>${cell(near, percent)}<td>${percent(chanceNear)}</td></tr>`;
}

function zoneWords({ zones: found }: HeatMaps): Markup {
  const told = zones.flatMap((zone) => {
    const films = found.get(zone) ?? 0;
    return films === 0 ? [] : [`${zoneText(zone)} ${count(films)}`];
  });
  const nowhere = found.get(null) ?? 0;
  const words = [...told, ...(nowhere === 0 ? [] : [`nowhere, the map has no positive value ${count(nowhere)}`])];
  if (words.length === 0) return markup`<p class="small">No film is called positive.</p>`;
  return markup`<p class="small">Maps of films called positive are hottest: ${words.join(', ')}. Sides are the patient’s, if the films stand as usual.</p>`;
}
