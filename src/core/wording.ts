import { failures } from './failure.ts';
import type { Zone } from './lungs.ts';
import { fellBack } from './provider.ts';
import type { ContentSettings, Decision, ImageFailure, ImageReading, ModelIdentity, Reading } from './reading.ts';

/**
 * Every sentence that a result says, written once: SR, heat-map and DiagnosticReport of a study use the same words.
 * ASCII only, so that any font and any character set carries them.
 */

/** Stands on every artifact. */
export const reviewNotice = 'AI output, not reviewed by a physician. For research use only.';
/** The same where there is little room: a legend, a series description. */
export const shortReviewNotice = 'AI output, not reviewed';
/** Stands first on every artifact of a model whose manifest says `untrained`. */
export const untrainedNotice = 'UNTRAINED MODEL: score, decision and heat-map have no meaning.';
/** A score is what the network gives out; nobody may read a prevalence into it. */
export const scoreNotice = 'The score is the output of the model, not a calibrated probability of disease.';

type FindingSettings = Pick<ContentSettings, 'flagSuspectedCovid'>;

const findings = {
  present: 'Airspace opacity present.',
  flagged: 'Airspace opacity suspicious for COVID-19.',
  absent: 'No airspace opacity found. This does not rule out COVID-19.',
  undetermined: 'No image could be scored: nothing is concluded, and this is not a negative result.',
} as const;

/** What is concluded of an image or of a study. `flagSuspectedCovid: false` names the opacity alone. */
export function findingSentence(decision: Reading['decision'], { flagSuspectedCovid }: FindingSettings): string {
  return decision === 'present' && flagSuspectedCovid ? findings.flagged : findings[decision];
}

/** Four decimals; all that there are where rounding would carry the score over the operating point. */
export function scoreText(score: number, operatingPoint: number): string {
  const short = score.toFixed(4);
  return Number(short) >= operatingPoint === score >= operatingPoint ? short : String(score);
}

/** Score of one image against the operating point: `Score 0.8731 (present at 0.5 or above).` */
export function scoreSentence(score: number, operatingPoint: number): string {
  return `Score ${scoreText(score, operatingPoint)} (present at ${operatingPoint} or above).`;
}

/** One image in words: `Image 1.2.3 (PA): score 0.8731, present.` */
export function imageSentence(image: ImageReading, { operatingPoint }: ContentSettings): string {
  const score = scoreText(image.score, operatingPoint);
  return `Image ${image.image.SOPInstanceUID} (${image.view}): score ${score}, ${image.decision}.`;
}

/** What ran the network on an image: `The network ran on cpu; webgpu was asked for and could not be used.` */
export function providerSentence({ provider }: ImageReading): string {
  const instead = fellBack(provider) ? `; ${provider.asked} was asked for and could not be used` : '';
  return `The network ran on ${provider.used}${instead}.`;
}

const zoneNames: Readonly<Record<Zone, string>> = {
  'right-upper': 'in the right upper zone',
  'right-middle': 'in the right middle zone',
  'right-lower': 'in the right lower zone',
  'left-upper': 'in the left upper zone',
  'left-middle': 'in the left middle zone',
  'left-lower': 'in the left lower zone',
  'between-lungs': 'between the lungs',
  'outside-lungs': 'outside the lungs',
};

export const zoneText = (zone: Zone): string => zoneNames[zone];

/**
 * Where the map of a positive is hottest: `The heat-map is hottest in the right lower zone, by a fixed template of the lungs.`
 * In words alone: no code of ours names such a zone. Empty where nothing may be told.
 */
export function zoneSentences({ zone, decision }: ImageReading): readonly string[] {
  if (!zone || decision !== 'present') return [];
  return [`The heat-map is hottest ${zoneNames[zone]}, by a fixed template of the lungs.`];
}

/** An image that could not be read, named by its code: `Image 1.2.3 was not read: truncated. The file ends early.` */
export function failureSentence({ SOPInstanceUID, failure }: ImageFailure): string {
  return `Image ${SOPInstanceUID} was not read: ${failure.code}. ${failures[failure.code].sentence}`;
}

/** `2 of 3 images were read.`; null when all were. */
export function partialSentence({ images, failures: failed }: Reading): string | null {
  if (failed.length === 0) return null;
  return `${images.length} of ${images.length + failed.length} images were read.`;
}

/** The lines of a heat-map's legend that depend on the result. */
export function legendSentences(
  decision: Decision,
  settings: FindingSettings,
  training: ModelIdentity['training'],
): readonly string[] {
  return [...untrained(training), findingSentence(decision, settings), shortReviewNotice];
}

/** The conclusion of a study, sentence by sentence: finding, highest score and its image, what is missing. */
export function conclusionSentences(reading: Reading): readonly string[] {
  const { model, settings, decision } = reading;
  const partial = partialSentence(reading);
  return [
    ...untrained(model.training),
    findingSentence(decision, settings),
    ...highestSentence(reading),
    ...hottestSentences(reading),
    ...(partial === null ? [] : [partial]),
  ];
}

/** The conclusion in one line. */
export function conclusion(reading: Reading): string {
  return conclusionSentences(reading).join(' ');
}

/** The conclusion with the notices that a result never goes without; for a comment or a narrative. */
export function comment(reading: Reading): string {
  const notices = reading.score === null ? [reviewNotice] : [scoreNotice, reviewNotice];
  return [conclusion(reading), ...omissionSentence(reading), ...notices].join(' ');
}

/** Attributes of the source that were not copied since they break their own rules; empty when there are none. */
export function omissionSentence({ images }: Reading): readonly string[] {
  const flags = new Set(images.flatMap((image) => image.flags));
  const omitted = [...flags].filter((flag) => flag.startsWith('omitted:')).map((flag) => flag.slice('omitted:'.length));
  return omitted.length === 0 ? [] : [`Left out, being invalid in the source: ${omitted.sort().join(', ')}.`];
}

function highestSentence({ score, highestImage, images, settings }: Reading): readonly string[] {
  if (score === null) return [];
  const text = scoreText(score, settings.operatingPoint);
  if (images.length === 1) return [scoreSentence(score, settings.operatingPoint)];
  const view = images.find(({ image }) => image.SOPInstanceUID === highestImage)?.view;
  return [`Highest score ${text} (present at ${settings.operatingPoint} or above), image ${highestImage} (${view}).`];
}

/** Of one image as it is, of several by image. */
function hottestSentences({ images }: Reading): readonly string[] {
  const [only, ...others] = images;
  if (only && others.length === 0) return zoneSentences(only);
  return images.flatMap((image) =>
    zoneSentences(image).map((sentence) => `Image ${image.image.SOPInstanceUID} (${image.view}): ${lowered(sentence)}`),
  );
}

const lowered = (sentence: string): string => sentence[0]!.toLowerCase() + sentence.slice(1);

const untrained = (training: ModelIdentity['training']): readonly string[] =>
  training === 'untrained' ? [untrainedNotice] : [];
