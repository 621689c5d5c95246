import { type Markup, markup } from '../core/markup.ts';
import { reviewNotice, scoreNotice, untrainedNotice } from '../core/wording.ts';
import { cautions, type Evaluation, imagesPerMinute, modelEfficiency } from './evaluation.ts';
import { type Gallery, galleryNames, galleryTitles, mostShown } from './gallery.ts';
import { calibrationPlot, rocPlot, scorePlot, thresholdText } from './plots.ts';
import type { Film } from './predictions.ts';
import { heatMapSection } from './report-heat-map.ts';
import { shortcutSection } from './report-shortcuts.ts';
import { reportStyle } from './report-style.ts';
import {
  confusionTable,
  count,
  decimal,
  leftOutTable,
  percent,
  pointsTable,
  prevalenceText,
  strataTable,
  withInterval,
} from './report-tables.ts';

/** `report.html`: one file, no script, nothing fetched. Pure. */

/** JPEG bytes of the heat-map by path of the image. */
export type Pictures = ReadonlyMap<string, Uint8Array>;

/** Nothing but what stands in the file itself, whatever a file is called. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

export function reportHtml(evaluation: Evaluation, gallery: Gallery, pictures: Pictures): string {
  const { model, table, settings, assessment, shortcuts } = evaluation;
  const title = `Evaluation of ${model.name} on ${table.name}`;
  const { bySource, byView, byDevice } = assessment;
  const page = markup`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${{ text: reportStyle }}</style></head>
<body><main>
${header(evaluation, title)}
${notices(evaluation)}
${abstract(evaluation)}
${cautionList(evaluation)}
${figures(evaluation)}
<h2>Decisions</h2>
${pointsTable(1, assessment, settings.prevalence)}
<div class="narrow">${confusionTable(2, assessment)}</div>
<h2>Strata</h2>
${strataTable(3, 'source', bySource)}
${strataTable(4, 'view', byView)}
${byDevice.some(({ name }) => name !== null) ? strataTable(5, 'device', byDevice) : markup``}
${heatMapSection(6, evaluation.heatMaps)}
${shortcuts ? shortcutSection(8, shortcuts) : markup``}
<h2>Films</h2>
<p class="small">Each film lies under its Grad-CAM on the colour scale of the model; p is the score. Of each kind at most ${mostShown} are shown.</p>
${galleryNames.map((name) => galleryOf(galleryTitles[name], gallery[name], pictures))}
<h2>Method</h2>
${method(evaluation)}
${leftOutTable(9, evaluation)}
</main></body></html>
`;
  return page.text;
}

function header({ model, table, software, evaluatedAt }: Evaluation, title: string): Markup {
  return markup`<header><h1>${title}</h1>
<p>${model.manufacturer}, ${model.name}, version ${model.version} (${model.id}); weights sha256 ${model.sha256}</p>
<p>Table ${table.name}, ${count(table.rows)} rows, sha256 ${table.sha256}</p>
<p>cxr-gateway ${software}, ${evaluatedAt}</p></header>`;
}

function notices({ model }: Evaluation): Markup {
  const untrained =
    model.training === 'untrained' ? markup`<p class="notice untrained">${untrainedNotice}</p>` : markup``;
  return markup`${untrained}<p class="notice">${reviewNotice} ${scoreNotice}</p>`;
}

function abstract(evaluation: Evaluation): Markup {
  const { assessment, settings } = evaluation;
  const { positives, negatives, area, points, calibration } = assessment;
  const [own] = points;
  const { sensitivity, specificity, accuracy } = own!.performance;
  const { ppv, npv, flagsPerThousand } = own!.atPrevalence;
  return markup`<p class="abstract">On ${count(positives)} positive and ${count(negatives)} negative films the area under the ROC curve is <b>${withInterval(area, decimal)}</b>. At the model’s own operating point, ${thresholdText(own!.threshold)}, sensitivity is <b>${withInterval(sensitivity, percent)}</b>, specificity <b>${withInterval(specificity, percent)}</b> and accuracy ${withInterval(accuracy, percent)}. Where ${prevalenceText(settings.prevalence)} of the studies are positive, that is ${flagsPerThousand?.toFixed(0) ?? '–'} flags in 1,000 studies with a positive predictive value of ${percent(ppv)} and a negative one of ${percent(npv)}. The expected calibration error is ${decimal(calibration.ece)}. The reader scored ${imagesPerMinute(evaluation).toFixed(0)} images a minute: a model efficiency of ${modelEfficiency(evaluation).toFixed(1)}. Intervals are at 95 %.</p>`;
}

function cautionList(evaluation: Evaluation): Markup {
  const sentences = cautions(evaluation);
  if (sentences.length === 0) return markup``;
  return markup`<ul class="cautions">${sentences.map((sentence) => markup`<li>${sentence}</li>`)}</ul>`;
}

function figures({ assessment, scoring, settings }: Evaluation): Markup {
  const { area, calibration } = assessment;
  return markup`<div class="figures">
${figure(1, rocPlot(assessment), `Receiver operating characteristic, AUC ${withInterval(area, decimal)}. The filled circle is the model’s own operating point.`)}
${figure(2, calibrationPlot(calibration), `Calibration in ten bins of equal width, with Wilson’s intervals; the bars tell how many films a bin has. ECE ${decimal(calibration.ece)}, Brier score ${decimal(calibration.brier)}, at the mix of these films.`)}
${figure(3, scorePlot(scoring.films, settings.operatingPoint), 'Scores of the positive films (up) and of the negative ones (down), each as a share of its class. The broken line is the model’s own operating point.')}
</div>`;
}

const figure = (number: number, drawing: Markup, caption: string): Markup =>
  markup`<figure>${drawing}<figcaption><b>Figure ${number}.</b> ${caption}</figcaption></figure>`;

function galleryOf(title: string, films: readonly Film[], pictures: Pictures): Markup {
  if (films.length === 0) return markup`<h3>${title}</h3><p class="small">None.</p>`;
  return markup`<h3>${title}</h3><div class="gallery">${films.map((film) => card(film, pictures.get(film.path)))}</div>`;
}

function card({ file, label, score, view, source }: Film, jpeg: Uint8Array | undefined): Markup {
  const image = jpeg
    ? markup`<img alt="film under its heat-map" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}">`
    : markup``;
  const facts = [label, view, source].filter(Boolean).join(', ');
  return markup`<div class="card">${image}<b>p = ${score.toFixed(3)}</b> ${facts}<span>${file}</span></div>`;
}

function method({ settings, machine, table, assessment, scoring }: Evaluation): Markup {
  const other = settings.includeOther
    ? 'Films of the label “other” count as negative.'
    : `${count(table.otherLeftOut)} films of the label “other” were left out.`;
  return markup`<p>Labels “opacity” and “covid” are positive, “none” is negative. ${other} ${count(scoring.films.length)} films of ${count(assessment.groups)} groups were scored. The AUC counts ties as half; its interval is DeLong’s, symmetric on the logit scale. Sensitivity, specificity and accuracy have Wilson’s intervals; predictive values follow from sensitivity, specificity and the stated prevalence by Bayes’ rule.</p>
<p>The rate was measured over ${count(scoring.images)} images from file to score, decoding included, with ${machine.readers} reader processes of ${machine.threads} threads, provider ${machine.provider}, precision ${machine.precision}, on ${machine.processor} (${machine.cores} cores). Model efficiency is that rate over ${settings.radiologistRate} images a minute of a radiologist.</p>`;
}
