import type { Documents, Log } from './documents.ts';
import { decimal, scientific, table } from './words.ts';

/** The sections of a card that come from the training and the export: `log.json`, `export.json`. */

const citations: readonly (readonly [films: string, use: string, licence: string, citation: string])[] = [
  [
    'ChestX-ray14 (`nih`, `nih-more`)',
    'training, figures on adults',
    'NIH Clinical Center: no restriction, cite',
    'Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. ChestX-ray8: hospital-scale chest X-ray database and benchmarks. CVPR 2017',
  ],
  [
    'Paediatric archive (`kermany`)',
    'training, figures on children',
    'CC BY 4.0',
    'Kermany DS, et al. Identifying medical diagnoses and treatable diseases by image-based deep learning. Cell 2018; 172',
  ],
  [
    'Hannover Medical School (`covid-hannover`)',
    'figures across sources alone',
    'CC BY 3.0',
    'Winther HB, et al. COVID-19 image repository. 2020',
  ],
  [
    'ChestX-ray14, read Normal (`normal`)',
    'figures across sources alone',
    'labels of the RSNA challenge: research use',
    'RSNA Pneumonia Detection Challenge, 2018; films as ChestX-ray14',
  ],
];

export function dataSection({ log, manifest, figures: { sets } }: Documents): string {
  const { n_positive: covid, n_negative: normal } = sets['cross-source'];
  return `## Data

${table(['films', 'used for', 'licence', 'cite'], citations)}

A group (a patient, with near-duplicates) is in one part only, by a hash of its name: \`train\`; \`tune\`, by which every choice was made
(calibration, operating point); \`check\`, which is looked at to report. \`other\` films have a finding that is neither: they teach the
findings alone. Confirmed COVID-19 (${covid} films) and the normal films of the RSNA labels (${normal}) trained nothing, and neither
calibration nor operating point was chosen on them.${cropWords(manifest)}

${log ? countTable(log) : 'How many films trained is not recorded in this folder.'}`;
}

/** The one choice for which figures across sources were a reason (README of the recipe). */
function cropWords({ preprocess }: Documents['manifest']): string {
  if (!preprocess.some(({ step }) => step === 'central-crop')) return '';
  return ' That a film is cropped before it is read goes back to an\nearlier network, which read films of other hospitals better that way.';
}

function countTable({ data }: Log): string {
  const labels = ['opacity', 'none', 'other'];
  const cells = Map.groupBy(data, ({ part, source, view }) => [part, source, view || 'not told'].join('\t'));
  const rows = [...cells]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, members]) => [
      ...key.split('\t'),
      ...labels.map((label) => members.find((cell) => cell.label === label)?.films ?? 0),
    ]);
  return table(['part', 'source', 'view', ...labels], rows);
}

/** Settings of a command that say where it wrote, and nothing of the training. */
const untold = ['pack', 'out', 'report_seconds'];

const settingsText = (settings: Log['runs'][number]['settings']): string =>
  Object.entries(settings)
    .filter(([key]) => !untold.includes(key))
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');

export function recipeSection({ log }: Documents): string {
  if (!log) return '## Training\n\nThere is no `log.json` beside this card.';
  const runs = log.runs.map(({ device, torch, settings }) => [...[device, torch, settingsText(settings)]]);
  const { final } = log;
  const end = final
    ? `Ended after ${final.step} steps, ${final.epoch} epochs and ${final.minutes} minutes, at ${final.size} px.`
    : 'Not ended.';
  return `## Training

From random weights, by \`models/recipe\`; \`log.json\` has every setting and every report. ${end}

${table(['device', 'PyTorch', 'settings'], runs)}

What the \`tune\` patients said on the way (AUC; no figure to quote, since it was looked at while training):

${epochTable(log)}${headWords(log)}`;
}

/** The paper's step on top, where the run has it. */
function headWords({ head, final }: Log): string {
  if (!head) return '';
  const rows = Object.entries(head.tune).map(([source, { auc: area }]) => {
    const before = final?.tune[source]?.auc ?? null;
    return [source, before === null ? 'n/a' : decimal(before), area === null ? 'n/a' : decimal(area)];
  });
  return `

Then the paper's own step: the backbone frozen and the last layer trained anew by \`cxr-gateway train-head\` with the paper's options, on adult
films that the backbone had been trained on too. What that changed, by the AUC of \`tune\` patients:

${table(['source', 'head of the training', 'head of train-head'], rows)}`;
}

const mostEpochs = 16;

/** Evenly chosen reports, the last one among them. */
function epochTable({ epochs }: Log): string {
  const sources = [...new Set(epochs.flatMap(({ tune }) => Object.keys(tune)))];
  const every = Math.max(1, Math.ceil(epochs.length / mostEpochs));
  const shown = epochs.filter((_, index) => (epochs.length - 1 - index) % every === 0);
  const rows = shown.map(({ epoch, step, minutes, size, blocks, loss, tune }) => [
    ...[epoch, step, minutes, size, blocks?.join('-') ?? '3-4-23-3', decimal(loss)],
    ...sources.map((source) => {
      const area = tune[source]?.auc ?? null;
      return area === null ? 'n/a' : decimal(area);
    }),
  ]);
  return table(['epoch', 'step', 'minutes', 'px', 'blocks', 'loss', ...sources], rows);
}

export function exportSection({ exported, manifest }: Documents): string {
  const speed = 'How fast it is: [docs/performance.md](../../docs/performance.md).';
  if (!exported) return `## Graph\n\nNot recorded: there is no \`export.json\` beside this card. ${speed}`;
  const { films, differences, torch, onnxruntime, weights_sha256: weights, heat } = exported;
  const same = weights === manifest.weights.sha256;
  const rows = [
    ['p(opacity), PyTorch against ONNX Runtime', scientific(differences.probability)],
    ['features, as a share of the largest', scientific(differences.features)],
    [
      "Grad-CAM in the graph against PyTorch's backward pass, as a share of the hottest cell",
      scientific(differences.map),
    ],
  ];
  return `## Graph

Largest differences on ${films} \`tune\` films, PyTorch ${torch}, ONNX Runtime ${onnxruntime}:

${table(['what', 'largest difference'], rows)}

${same ? 'Compared were the weights of this folder.' : `Compared were the float weights (sha256 \`${weights}\`) of which those of this folder were made.`}
The deepest red is the ${heat.percentile}th percentile of the hottest cells of ${heat.films} \`tune\` films with opacity. ${speed}`;
}

/** What the 8-bit variant was seen to change, and its limits. */
export function int8Section({ int8, manifest }: Documents): string {
  if (!int8) return '';
  if (int8.weights !== manifest.weights.sha256)
    return '## 8-bit arithmetic\n\n**`int8.json` belongs to other weights**: nothing is known of these.';
  const { films, aucFloat, aucInt8, decisionsChanged, mapCorrelation, passed } = int8.seen;
  const rows = [
    ['AUC, floats → 8 bits', `${aucFloat.toFixed(4)} → ${aucInt8.toFixed(4)}`, 'apart by at most 0.002'],
    ['decisions that change', `${(100 * decisionsChanged).toFixed(2)} %`, 'at most 0.2 %'],
    ['correlation of the heat-maps', decimal(mapCorrelation), 'at least 0.95'],
  ];
  return `## 8-bit arithmetic

With \`model.precision: int8\` the network runs in 8 bits, its ranges taken from ${int8.calibration.films} films. On ${films} films with labels:

${table(['what', 'seen', 'wanted'], rows)}

${passed ? 'It passes.' : '**It does not pass**: use floats.'}`;
}
