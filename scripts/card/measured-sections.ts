import { fewestJudged } from './agreement.ts';
import type { Documents } from './documents.ts';
import type { Figures, SetFigures } from './figures.ts';
import type { SetName } from './sets.ts';
import { auc, decimal, percent, rate, table, withInterval } from './words.ts';

/** The sections of a card that come from `figures.json`. */

const titles: Readonly<Record<SetName, string>> = {
  adult: 'Adults, held-out patients of ChestX-ray14',
  children: 'Children, held-out patients of the paediatric archive',
  'cross-source': 'COVID-19 (Hannover) against normal films (ChestX-ray14, read Normal)',
};

const within: readonly SetName[] = ['adult', 'children'];
const across: readonly SetName[] = ['cross-source'];

export function evaluationSection({ figures: { sets }, manifest }: Documents): string {
  const { software, evaluated_at: at } = sets.adult;
  return `## Figures

By \`cxr-gateway evaluate\` ${software} through the reader of the gateway, ${at.slice(0, 10)}. AUC with DeLong's interval, shares with Wilson's, 95 %. Sensitivity and
specificity are at the model's own operating point, ${manifest.operatingPoint}. Rows of the label \`other\` are left out.

### Within a source

Positives and negatives come from one place: what a source alone can tell is of no use here. These patients (\`check\`) trained nothing
and chose nothing.

${setTable(within, sets)}

By view, adults:

${viewTable(sets.adult)}

### Across sources

Positives come from one hospital, negatives from another archive, and neither was trained on. **Such an AUC can tell the places apart as
well as the disease**; that is why the figures within a source stand first${sets['cross-source'].shortcuts ? ',\nand what is left of it on films squashed and encoded alike is told [below](#does-it-look-at-the-lungs)' : ''}.

${setTable(across, sets)}

### At other thresholds

${pointTable(sets)}

${leftOut(sets)}`;
}

function setTable(names: readonly SetName[], sets: Figures['sets']): string {
  const rows = names.map((name) => {
    const figures = sets[name];
    return [titles[name], figures.n_positive, figures.n_negative, auc(figures), ...rates(figures)];
  });
  return table(['films', 'positive', 'negative', 'AUC', 'sensitivity', 'specificity', 'accuracy'], rows);
}

const rates = (figures: Parameters<typeof rate>[0]): readonly string[] =>
  (['sensitivity', 'specificity', 'accuracy'] as const).map((name) => rate(figures, name));

function viewTable({ by_view: views }: SetFigures): string {
  const rows = Object.entries(views)
    .sort()
    .map(([view, figures]) => [...[view, figures.n_positive, figures.n_negative, auc(figures)], ...rates(figures)]);
  return table(['view', 'positive', 'negative', 'AUC', 'sensitivity', 'specificity', 'accuracy'], rows);
}

const pointNames: Readonly<Record<string, string>> = {
  manifest: "the model's own",
  half: 'p = 0.5',
  youden: "highest Youden's J",
  specificity: 'best sensitivity at a specificity of at least 71.8 %',
};

const pointSets: readonly SetName[] = ['adult', 'cross-source'];

function pointTable(sets: Figures['sets']): string {
  const rows = pointSets.flatMap((name) =>
    sets[name].operating_points.map((point) => [
      ...[
        titles[name],
        pointNames[point.name] ?? point.name,
        point.threshold === null ? 'none' : decimal(point.threshold),
      ],
      ...[point.chosen_on_these_films ? 'yes' : 'no', rate(point, 'sensitivity'), rate(point, 'specificity')],
      point.at_prevalence.ppv === null ? 'not defined' : percent(point.at_prevalence.ppv),
      point.at_prevalence.npv === null ? 'not defined' : percent(point.at_prevalence.npv),
    ]),
  );
  const prevalence = percent(sets.adult.operating_points[0]?.at_prevalence.prevalence ?? 0);
  const head = ['films', 'point', 'threshold', 'chosen on these films', 'sensitivity', 'specificity'];
  return table([...head, `PPV at ${prevalence}`, `NPV at ${prevalence}`], rows);
}

function leftOut(sets: Figures['sets']): string {
  const rows = [...within, ...across].flatMap((name) => {
    const { unreadable, left_out_as_seen: seen } = sets[name];
    return unreadable + seen > 0
      ? [`${titles[name]}: ${seen} left out as seen in training, ${unreadable} unreadable.`]
      : [];
  });
  return rows.length === 0 ? 'No film was left out as seen in training, none was unreadable.' : rows.join(' ');
}

export function calibrationSection({ figures: { sets }, exported }: Documents): string {
  const rows = (['adult', 'children', 'cross-source'] as const).map((name) => {
    const { ece, brier } = sets[name];
    return [
      titles[name],
      ece === null ? 'not defined' : decimal(ece),
      decimal(byChance(sets[name])),
      brier === null ? 'not defined' : decimal(brier),
    ];
  });
  return `## Calibration

${table(['films', 'ECE, 10 bins', 'ECE by chance alone', 'Brier score'], rows)}

*By chance alone*: what a model whose every score were a true probability would give on so many films, from their spread in each bin.
The mix of opacity and none is that of the films, not that of a clinic.${fitWords(exported)}`;
}

/** Σ n/N · E|share − p| of a binomial share, by its normal limit: √(2p(1−p)/(πn)). */
export function byChance({ calibration }: Pick<SetFigures, 'calibration'>): number {
  const films = calibration.reduce((sum, { n }) => sum + n, 0);
  return calibration.reduce((sum, { n, mean_score: p }) => {
    if (n === 0 || p === null) return sum;
    return sum + (n / films) * Math.sqrt((2 * p * (1 - p)) / (Math.PI * n));
  }, 0);
}

function fitWords(exported: Documents['exported']): string {
  if (!exported) return '';
  const { calibration } = exported;
  if (!calibration) return '\n\n**Not calibrated**: the score is no probability, and nobody chose the operating point.';
  const { method, source, a, c, rule, operating_point: point, tune } = calibration;
  return `

${method[0]?.toUpperCase()}${method.slice(1)} on the \`tune\` patients of ${source} (${tune.opacity} opacity, ${tune.none} none), folded into the last layer
(a = ${a.toFixed(4)}, c = ${c.toFixed(4)}). Operating point ${point.toFixed(4)}: ${rule} on \`tune\`.`;
}

const judgeNames = {
  google: "Google's adjudicated *airspace opacity*",
  rsna: 'RSNA class *Lung Opacity* against its other two classes',
} as const;

export function agreementSection({ figures: { judged } }: Documents): string {
  const names = ['google', 'rsna'] as const;
  const rows = names.map((name) => {
    const { n, crossed, share, kappa } = judged[name];
    const { bothOpacity, textOnly, judgedOnly, bothNone } = crossed;
    return [
      judgeNames[name],
      n,
      withInterval(share, percent),
      withInterval(kappa, decimal),
      `${bothOpacity} / ${textOnly} / ${judgedOnly} / ${bothNone}`,
    ];
  });
  const models = names.map((name) => {
    const { positives, negatives, area } = judged[name].model;
    const told = Math.min(positives, negatives) < fewestJudged ? 'too few films to tell' : withInterval(area, decimal);
    return [judgeNames[name], positives, negatives, told];
  });
  return `## The labels

The labels of the adult films were **text-mined** from reports; those of the paper were adjudicated by radiologists. Some of our films
have a label of radiologists too, which neither trained nor chose anything. How far the two agree:

${table(['label of radiologists', 'films', 'agree', "Cohen's kappa", 'both opacity / text alone / radiologists alone / neither'], rows)}

The films that were judged are no fair sample of all, so the share holds for them. No model can be known to be better than its labels.
The model against the radiologists, on held-out patients:

${table(['label of radiologists', 'opacity', 'none', 'AUC'], models)}`;
}

export function failuresSection({ figures: { failures }, notes }: Documents): string {
  const rows = failures.map(({ kind, rank, score, view, findings }) => [
    ...[`${kind} ${rank}`, score.toFixed(3), view ?? 'not told', findings.replaceAll('|', ', ') || 'not told'],
  ]);
  const list = rows.length === 0 ? 'None.' : table(['film', 'score', 'view', 'text-mined findings'], rows);
  const looked = notes ?? '**Nobody has written down yet what is to be seen on these films.**';
  return `## Failures

The held-out adult films on which the model is surest and disagrees with the label:

${list}

${looked}`;
}
