import { type Markup, markup } from '../core/markup.ts';
import type { Composition } from '../core/ports.ts';
import type { ImageReading, Picture, Reading, StudyHeader } from '../core/reading.ts';
import {
  conclusionSentences,
  failureSentence,
  findingSentence,
  omissionSentence,
  reviewNotice,
  scoreNotice,
  scoreText,
  untrainedNotice,
} from '../core/wording.ts';
import { toDate, toDateTime } from './datetime.ts';
import { reportStyle } from './html-style.ts';
import { zoneOf } from './imaging-study.ts';
import { displayName } from './names.ts';

/**
 * The report as a page that needs nothing but itself: pictures inlined, no script, no request. A clinician opens it from the
 * EHR; so whose it is and that nobody has reviewed it stand first.
 */
export function reportHtml({ reading, pictures, identity }: Composition): string {
  const { images, failures, model } = reading;
  const films = images.map((image) => {
    const { SOPInstanceUID } = image.image;
    return film(
      reading,
      image,
      pictures[SOPInstanceUID] ?? null,
      identity.images[SOPInstanceUID]!.heatmapSOPInstanceUID,
    );
  });
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chest radiograph, AI reading (not reviewed)</title>
<style>${style}</style>
</head>
<body>
${model.training === 'untrained' ? markup`<p class="notice untrained">${untrainedNotice}</p>` : null}
<p class="notice">${reviewNotice}</p>
<main>
<h1>Chest radiograph: AI reading for airspace opacity</h1>
${identityBlock(reading)}
${conclusionBlock(reading)}
${films.length > 0 ? markup`<h2>Images</h2>${films}` : null}
${failures.length > 0 ? markup`<h2>Images not read</h2><ul>${failures.map(failed)}</ul>` : null}
${methodBlock(reading, identity.sr.SOPInstanceUID)}
</main>
</body>
</html>
`.text;
}

/** Ours, and without a character that markup would have to encode but quotes, which a style element takes as they are. */
const style: Markup = { text: reportStyle };

const unknown = 'not in the image';
const pair = ([term, value]: readonly [string, string | null]): Markup =>
  markup`<dt>${term}</dt><dd><bdi>${value ?? unknown}</bdi></dd>`;
const failed = (failure: Reading['failures'][number]): Markup => markup`<li>${failureSentence(failure)}</li>`;

function identityBlock(reading: Reading): Markup {
  const { study } = reading;
  const pairs: readonly (readonly [string, string | null])[] = [
    ['Patient', displayName(study.PatientName)],
    ['Study', study.StudyDescription],
    ['Patient ID', patientId(study)],
    ['Study date', toDateTime(study.StudyDate, study.StudyTime, zoneOf(reading))?.replace('T', ' ') ?? null],
    ['Born', toDate(study.PatientBirthDate)],
    ['Accession number', study.AccessionNumber],
    ['Sex', study.PatientSex],
    ['Referred by', displayName(study.ReferringPhysicianName)],
  ];
  return markup`<dl class="identity">${pairs.map(pair)}</dl>`;
}

const patientId = ({ PatientID, IssuerOfPatientID }: StudyHeader): string | null =>
  PatientID === null || IssuerOfPatientID === null ? PatientID : `${PatientID} (${IssuerOfPatientID})`;

/** An untrained model says first that what follows means nothing, and gets no colour of a finding. */
function conclusionBlock(reading: Reading): Markup {
  const isUntrained = reading.model.training === 'untrained';
  const finding = findingSentence(reading.decision, reading.settings);
  const others = conclusionSentences(reading).filter(
    (sentence) => sentence !== finding && sentence !== untrainedNotice,
  );
  const details = [...others, ...omissionSentence(reading)].map((sentence) => markup`<p>${sentence}</p>`);
  return markup`<section class="conclusion ${isUntrained ? 'undetermined' : reading.decision}">
${isUntrained ? markup`<p>${untrainedNotice}</p>` : null}
<p class="finding">${finding}</p>
${details}
</section>`;
}

function film({ settings }: Reading, image: ImageReading, picture: Picture | null, heatmapUid: string): Markup {
  const { operatingPoint } = settings;
  const score = scoreText(image.score, operatingPoint);
  const pairs: readonly (readonly [string, string])[] = [
    ['View', image.view],
    ['Modality', image.image.Modality],
    ['Image', image.image.SOPInstanceUID],
    ['Heat-map', heatmapUid],
  ];
  return markup`<section class="film">
<figure>${picture ? pictureOf(picture, image) : null}<figcaption>${caption(picture)}</figcaption></figure>
<div>
<p class="small">Score</p>
<p class="score">${score} <small>airspace opacity ${image.decision}</small></p>
${scale(image.score, operatingPoint)}
<dl class="small">${pairs.map(pair)}</dl>
</div>
</section>`;
}

const caption = (picture: Picture | null): string =>
  picture
    ? 'Grad-CAM: deep red marks what weighed most for an opacity, deep blue what weighed least. It shows what the model looked at, not a lesion.'
    : 'No heat-map was made of this image.';

function pictureOf({ jpeg, columns, rows }: Picture, { view }: ImageReading): Markup {
  const data = Buffer.from(jpeg).toString('base64');
  const alternative = `Heat-map over the ${view} chest radiograph`;
  return markup`<img alt="${alternative}" width="${columns}" height="${rows}" src="data:image/jpeg;base64,${data}">`;
}

/** Score and operating point on one line from 0 to 1. */
function scale(score: number, operatingPoint: number): Markup {
  const percent = (value: number) => (value * 100).toFixed(1);
  return markup`<div class="scale" role="img" aria-label="Score on a scale from 0 to 1, operating point ${operatingPoint}">
<span class="value" style="width:${percent(score)}%"></span>
<span class="point" style="left:${percent(operatingPoint)}%"></span>
<span class="label" style="left:${percent(operatingPoint)}%">operating point ${operatingPoint}</span>
</div>`;
}

function methodBlock({ model, settings, images, readAt }: Reading, srUid: string): Markup {
  const pairs: readonly (readonly [string, string])[] = [
    ['Model', `${model.name} ${model.version}, ${model.manufacturer} (${model.training})`],
    ['Intended use', model.intendedUse],
    ['Operating point', `${settings.operatingPoint} on the score of one image`],
    ['Weights (SHA-256)', model.sha256],
    ['Read at', readAt],
    ['Structured Report', srUid],
  ];
  return markup`<section class="method"><h2>How this was made</h2>
${images.length > 0 ? markup`<p>${scoreNotice}</p>` : null}
<dl class="small">${pairs.map(pair)}</dl></section>`;
}
