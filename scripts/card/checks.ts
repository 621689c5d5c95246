import { z } from 'zod';
import type { Figures } from './figures.ts';
import type { Goal } from './goals.ts';
import type { SetName } from './sets.ts';
import { auc, decimal, percent, table, withInterval } from './words.ts';

/** Does the network look at lungs? Masked films and the mass of its maps, where an evaluation has looked at them. */

const value = z.number().nullable();
const interval = z.tuple([z.number(), z.number()]).nullable();

/** `shortcuts` of `metrics.json`: by the name of the change, the same films scored again after it. */
export const shortcutsSchema = z.record(
  z.string(),
  z.object({ auc: value, auc_ci95: interval, change: value, n_positive: z.int(), n_negative: z.int() }),
);

/** Beside each share, what a map would have that is everywhere the same: the share of the film that counts as inside. */
const shareInside = z.object({ mean: value, mean_of_flat_map: value });
const mass = shareInside.extend({
  ...{ n: z.int(), mean_ci95: interval, median: value },
  template_not_widened: shareInside,
});
const hits = z.object({ value, ci95: interval });

/** `heat_map` of `metrics.json`. */
export const heatMapSchema = z.object({
  /** Share of the map's mass inside the lung template widened by one cell: of films called positive, and of all. */
  lung_mass: z.object({ called_positive: mass, all: mass }),
  /** Films with a box whose map peaks inside one; `near` with one cell to spare; `chance` of a point drawn in the lungs. */
  pointing: z.object({ n: z.int(), hit: hits, near: hits, chance: value }).nullable(),
});

/** The name that masked lungs go by: the one change after which a figure should be bad. */
export const lungsMasked = 'lungs_masked';
const changes: Readonly<Record<string, string>> = {
  edges_masked: 'outer 12 % masked',
  corners_masked: 'corners masked',
  [lungsMasked]: 'lungs masked',
  lungs_alone: 'all but the lungs masked',
  equalised: 'resolution and aspect equalised',
};

const sets: Readonly<Partial<Record<SetName, string>>> = { adult: 'adults', 'cross-source': 'across sources' };
const named = Object.entries(sets) as readonly (readonly [SetName, string])[];

const limits = { lungsMasked: 0.6, lungMass: 0.8 };

export function checkGoals({ sets: of }: Pick<Figures, 'sets'>): readonly Goal[] {
  const masked = named.map(([name, title]): Goal => {
    const what = `AUC with the lungs masked, ${title}`;
    const wanted = `at most ${limits.lungsMasked.toFixed(2)}`;
    const found = of[name].shortcuts?.[lungsMasked];
    if (!found || found.auc === null) return { what, wanted, got: 'not measured', reached: null };
    return { what, wanted, got: auc(found), reached: found.auc <= limits.lungsMasked };
  });
  const what = 'Mass of the heat-map inside the lungs, mean of held-out adults called positive';
  const wanted = `at least ${percent(limits.lungMass)}`;
  const inside = of.adult.heat_map?.lung_mass.called_positive;
  if (!inside || inside.mean === null) return [...masked, { what, wanted, got: 'not measured', reached: null }];
  const got = `${withInterval({ value: inside.mean, ci95: inside.mean_ci95 }, percent)}; a flat map ${orNone(inside.mean_of_flat_map)}`;
  return [...masked, { what, wanted, got, reached: inside.mean >= limits.lungMass }];
}

export function checksSection({ figures }: { readonly figures: Figures }): string {
  return `## Does it look at the lungs?

${shortcutWords(figures)}

${heatMapWords(figures)}`;
}

function shortcutWords({ sets: of }: Figures): string {
  const rows = named.flatMap(([name, title]) =>
    Object.entries(of[name].shortcuts ?? {}).map(([change, figures]) => [
      ...[
        title,
        changes[change] ?? change,
        auc(figures),
        figures.change === null ? 'not defined' : signed(figures.change),
      ],
    ]),
  );
  if (rows.length === 0) return '**Shortcuts were not looked for**: no figure with edges, corners or lungs masked.';
  return `The same films, scored again after a change. Masked lungs must bring the AUC near 0.5: what is left is told by something that is no lung.

${table(['films', 'change', 'AUC', 'against the whole film'], rows)}`;
}

const signed = (change: number): string => `${change < 0 ? '−' : '+'}${decimal(Math.abs(change))}`;

const orNone = (share: number | null): string => (share === null ? 'not defined' : percent(share));

function heatMapWords({ sets: { adult } }: Figures): string {
  if (!adult.heat_map) return '**Where the heat-maps lie was not measured.**';
  const { lung_mass: share, pointing } = adult.heat_map;
  const rows = (
    [
      ['called positive', share.called_positive],
      ['all', share.all],
    ] as const
  ).map(([films, inside]) => [
    ...[films, inside.n, withInterval({ value: inside.mean, ci95: inside.mean_ci95 }, percent)],
    ...[inside.median, inside.mean_of_flat_map].map(orNone),
    ...[inside.template_not_widened.mean, inside.template_not_widened.mean_of_flat_map].map(orNone),
  ]);
  const head = ['mass inside the lungs, mean', 'median', 'a flat map', 'without widening, mean', 'a flat map'];
  const mass = `The lungs are a fixed template, widened by one cell of the map. Read each share beside that of a map that is everywhere the same:
after the central crop most of the film counts as lung, so that a high share alone says little.

${table(['held-out adults', 'films', ...head], rows)}`;
  if (!pointing || pointing.n === 0) return `${mass}\n\nNo held-out film has a box that the peak of its map could hit.`;
  return `${mass}

The map peaks inside a radiologist's box on ${withInterval(pointing.hit, percent)} of ${pointing.n} films with boxes, and at most one cell beside it on
${withInterval(pointing.near, percent)}; a point drawn in the lungs would on ${pointing.chance === null ? 'an unknown share' : percent(pointing.chance)}.`;
}
