import { describeSteps } from '../../src/model/preprocess-steps.ts';
import { checksSection } from './checks.ts';
import type { Documents } from './documents.ts';
import { goalsOf, paperAuc, parity, verdict } from './goals.ts';
import { agreementSection, calibrationSection, evaluationSection, failuresSection } from './measured-sections.ts';
import { dataSection, exportSection, int8Section, recipeSection } from './recipe-sections.ts';
import { table } from './words.ts';

/** `CARD.md`, whole, out of the documents of a model folder. Pure: the same documents give the same page. */

export function cardPage(documents: Documents, id: string): string {
  const sections = [
    header(documents),
    useSection(documents),
    goalsSection(documents),
    evaluationSection(documents),
    checksSection(documents),
    calibrationSection(documents),
    agreementSection(documents),
    failuresSection(documents),
    dataSection(documents),
    recipeSection(documents),
    exportSection(documents),
    int8Section(documents),
    paperSection(documents),
    notDoneSection(documents),
    madeBy(id),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function header({ manifest }: Documents): string {
  const { id, name, version, weights, training, preprocess, operatingPoint, heat } = manifest;
  const untrained =
    training === 'untrained' ? ['', '**UNTRAINED MODEL: none of the figures below has a meaning.**'] : [];
  const rows = [
    ['Id', `\`${id}\``],
    ['Version', version],
    ['Weights', `\`${weights.file}\`, sha256 \`${weights.sha256}\``],
    ['Input', describeSteps(preprocess)],
    ['Output', 'p(none), p(opacity); Grad-CAM of p(opacity), 7 × 7; pooled features'],
    ['Operating point', `p(opacity) ≥ ${operatingPoint}`],
    ['Deepest red of the heat-map', heat.max],
  ];
  return [
    `# ${name}`,
    '',
    '**Research use only. Not a medical device. AI output, not reviewed.**',
    ...untrained,
    '',
    table(['', ''], rows),
  ].join('\n');
}

function useSection({ manifest, acceptance }: Documents): string {
  return `## Intended use and limits

${manifest.intendedUse}

- It looks for *airspace opacity*, which many diseases cause. It does not recognise COVID-19, and no finding does not mean no disease.
- Other findings (nodules, effusions, pneumothorax, fractures, …) are not looked for.
- It has seen films of two archives, both reduced to 8 bits and at most 320 pixels a side. What it does on full films of another
  hospital is for that hospital to measure: \`cxr-gateway evaluate\`.
- ${parity(acceptance, manifest.weights.sha256)}`;
}

function goalsSection(documents: Documents): string {
  const rows = goalsOf(documents).map((goal) => [goal.what, goal.wanted, goal.got, verdict(goal)]);
  return `## Goals

Set before the training. In brackets: 95 % intervals.

${table(['what', 'wanted', 'got', ''], rows)}`;
}

function paperSection({ manifest, acceptance }: Documents): string {
  const rows = [
    [
      'Network',
      'ResNet-101, pretrained, last three layers retrained',
      'ResNet-101, trained from random weights: no pretrained weights could be had',
    ],
    [
      'Labels',
      'airspace opacity, adjudicated by radiologists',
      'adults: text-mined from reports; children: of their archive',
    ],
    ['Training films', '1,516 opacity, 1,547 none', 'see [Data](#data)'],
    [
      'Test',
      '154 confirmed COVID-19 against 5,828 "No finding"',
      'see [Figures](#figures): other films, from other places',
    ],
    ['Result', `AUC ${paperAuc}, sensitivity 77.3 %, specificity 71.8 %, accuracy 71.9 %`, 'see [Goals](#goals)'],
  ];
  return `## Beside the paper

${table(['', 'the paper', 'this model'], rows)}

The figures do not compare: the films differ, the labels were made in another way, and an AUC on positives of one place against
negatives of another may tell the places apart as well as the disease.
${parity(acceptance, manifest.weights.sha256)}`;
}

function notDoneSection({ acceptance, notes, figures }: Documents): string {
  const { adult } = figures.sets;
  const items = [
    'No radiologist read a film in order to label it for this model.',
    'No figures by age or sex, by make of the device, or by the disease behind the opacity.',
    'No prospective use, and no comparison with radiologists on the same films.',
    ...(acceptance ? [] : ['No acceptance set: all figures are of films that were at hand while the model was made.']),
    ...(notes ? [] : ['The failures were listed, but nobody has written down what is to be seen on them.']),
    ...(adult.n_groups < adult.n_positive + adult.n_negative
      ? ['Intervals take films for independent; some patients have several, so they are somewhat too narrow.']
      : []),
  ];
  return `## What was not done\n\n${items.map((item) => `- ${item}`).join('\n')}`;
}

const madeBy = (id: string): string =>
  `---\n\nMade by \`npm run card -- --model models/${id}\` from \`figures.json\`, \`log.json\`, \`export.json\` and \`card-notes.md\` beside it; do not edit.`;
