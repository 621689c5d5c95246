import { deviceUid } from '../core/ids.ts';
import type { Manifest } from '../model/manifest.ts';
import type { TrainedHead } from './head-training.ts';
import type { TrainHeadOptions } from './train-options.ts';
import type { TableCounts, TrainingFilm } from './training-films.ts';

/** Words about a model with a new head: its intended use, and its card. */

export interface TrainingFacts {
  readonly backbone: Manifest;
  readonly options: TrainHeadOptions;
  readonly counts: TableCounts;
  readonly unreadable: number;
  /** Films left out because the same bytes stand in an earlier row. */
  readonly copies: number;
  /** Validation films that the backbone itself was made with, by its digests; null where it does not tell. */
  readonly knownToBackbone: number | null;
  /** Films that the heat scale was taken from, and whether they gave one. */
  readonly heatFilms: number;
  readonly heatKept: boolean;
  readonly trained: TrainedHead;
}

const covidNote = 'Films of confirmed COVID-19 counted as opacity in training.';

export function intendedUse({ backbone, options }: Pick<TrainingFacts, 'backbone' | 'options'>): string {
  return [
    'Research use only; not a medical device. Estimates the probability of airspace opacity in a frontal chest radiograph.',
    `Last layer trained with cxr-gateway train-head on the backbone ${backbone.id}.`,
    ...(options.includeCovid ? [covidNote] : []),
    ...(backbone.training === 'untrained' ? [untrainedNote] : []),
  ].join(' ');
}

const untrainedNote = 'The backbone is UNTRAINED: its features are those of noise weights.';

export function headCard(manifest: Manifest, facts: TrainingFacts): string {
  const { backbone, options, trained } = facts;
  return `# ${manifest.name}

**Research use only. Not a medical device. AI output, not reviewed.**
${options.includeCovid ? `**${covidNote}** The paper keeps them out: this model must not be tested on them as if it had not.\n` : ''}${
  backbone.training === 'untrained' ? `**${untrainedNote}** Its figures say what noise can do.\n` : ''
}
| | |
|---|---|
| Backbone | ${backbone.id}: ${backbone.name}, version ${backbone.version}; all layers frozen, batch normalisation at stored statistics |
| Backbone weights | sha256 ${backbone.weights.sha256} |
| Trained | the last fully connected layer, ${backbone.outputs.features.shape[1]} features to 2 classes (none, opacity), and with it the Grad-CAM map |
| Operating point | ${manifest.operatingPoint}, ${operatingWords(options)} |
| Heat scale | 0 to ${manifest.heat.max}, ${heatWords(facts)} |
| DeviceUID | ${deviceUid(manifest.weights.sha256)} |

## Data
${dataTable(facts)}

The split is by group: no group stands on both sides. \`training-digests.json\` holds SHA-256 digests of all these films and groups,
and of those that the backbone names, so that \`evaluate\` can leave them out.

## Options
${optionsTable(options)}

## Training curve
![training curve](training-curve.svg)

${curveTable(trained)}

Kept: epoch ${trained.kept.number}, the lowest validation loss. Losses are cross-entropy without the L2 term; training figures are means over
the epoch's batches, each taken before its step.
Validation AUC ${number(trained.validationArea.value)}${intervalWords(trained)}. The epoch and the operating point were chosen on these same validation films:
the figure is optimistic. Run \`cxr-gateway evaluate\` on films that are in neither side.

${limits(facts)}`;
}

function limits({ knownToBackbone }: TrainingFacts): string {
  return `## Limits
- The labels are those of the table that was given; nobody checked them here.
- Classes were not weighted: the scores reflect the share of opacity among the training films, not that of a clinic.
${overlapWords(knownToBackbone)}- A model trained on several sources may have learned the source. Compare within sources.
`;
}

const number = (value: number | null): string => (value === null ? 'not defined' : value.toFixed(4));

function operatingWords({ operatingPoint }: TrainHeadOptions): string {
  if (operatingPoint === 'youden') return "highest Youden's J on the validation films";
  return operatingPoint.startsWith('specificity')
    ? `highest sensitivity on the validation films at a specificity of at least ${operatingPoint.split('=')[1]}`
    : 'as given';
}

function heatWords({ heatKept, heatFilms }: TrainingFacts): string {
  return heatKept
    ? "the backbone's: no positive training film gave a map above 0"
    : `99.5th percentile of the hottest cells of ${heatFilms} positive training films`;
}

function dataTable({ counts, unreadable, copies, trained: { split } }: TrainingFacts): string {
  const side = (name: string, films: readonly TrainingFilm[]) => {
    const opacity = films.filter(({ target }) => target === 1).length;
    const groups = new Set(films.map(({ group }) => group)).size;
    return `| ${name} | ${opacity} | ${films.length - opacity} | ${films.length} | ${groups} |`;
  };
  return `| | opacity | none | films | groups |
|---|---|---|---|---|
${side('training', split.training)}
${side('validation', split.validation)}

Of ${counts.rows} rows of the table: ${counts.opacity} opacity, ${counts.none} none${
    counts.covid > 0 ? `, ${counts.covid} covid (counted as opacity)` : ''
  }; left out ${counts.leftOut} of other labels,
${unreadable} unreadable files and ${copies} copies of a film.`;
}

function optionsTable(options: TrainHeadOptions): string {
  const rows: readonly (readonly [string, string | number, string])[] = [
    ['optimiser', 'SGD with momentum', 'the paper'],
    ['mini-batch', options.batch, 'the paper: 10'],
    ['epochs', options.epochs, 'the paper: 8'],
    ['learning rate', options.learningRate, 'the paper: 0.0001'],
    ['shuffle, validation', 'every epoch', 'the paper'],
    ['training share', options.split, 'the paper: 0.7'],
    ['momentum', options.momentum, 'ours: 0.9'],
    ['L2', options.l2, 'ours: 0.0001'],
    ['bias', options.rawFeatures ? 'trained, without L2' : 'none', 'ours: none, so that the map shows all of a score'],
    [
      'features',
      options.rawFeatures ? 'raw' : 'near 1 along their mean, mean squared length 1,024 across it',
      'ours: scaled; folded into the weights',
    ],
    ['start', 'weights 0', 'ours'],
    ['kept epoch', 'lowest validation loss', 'ours'],
    ['seed', options.seed, 'ours: 1'],
  ];
  const lines = rows.map(([name, value, origin]) => `| ${name} | ${value} | ${origin} |`);
  return ['| option | value | whose default |', '|---|---|---|', ...lines].join('\n');
}

function curveTable({ epochs }: TrainedHead): string {
  const cells = epochs.map(({ number: epoch, training, validation }) => {
    const figures = [training.loss, training.accuracy, validation.loss, validation.accuracy].map(number);
    return `| ${[epoch, ...figures].join(' | ')} |`;
  });
  const head = '| epoch | training loss | training accuracy | validation loss | validation accuracy |';
  return [head, '|---|---|---|---|---|', ...cells].join('\n');
}

function intervalWords({ validationArea: { ci95 } }: TrainedHead): string {
  return ci95 ? ` (95 % interval ${number(ci95[0])} to ${number(ci95[1])}, DeLong)` : '';
}

function overlapWords(knownToBackbone: number | null): string {
  if (knownToBackbone === null)
    return '- The backbone does not tell which films it was made with: validation films may be among them.\n';
  return knownToBackbone > 0
    ? `- ${knownToBackbone} of the validation films were used to make the backbone: the validation figures are the more optimistic.\n`
    : '';
}
