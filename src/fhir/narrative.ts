import { markup } from '../core/markup.ts';
import type { Reading } from '../core/reading.ts';
import { conclusionSentences, failureSentence, reviewNotice, scoreNotice, scoreText } from '../core/wording.ts';

/** The narrative of the report (R4 2.4.0, XHTML of text alone): what a reader sees who sees nothing else. */
export function narrative(reading: Reading): string {
  const { images, failures, settings } = reading;
  const rows = images.map(
    ({ image, view, score, decision }) => markup`<tr><td>${image.SOPInstanceUID}</td><td>${view}</td>\
<td>${scoreText(score, settings.operatingPoint)}</td><td>${decision}</td></tr>`,
  );
  const table = markup`<table><thead><tr><th>Image</th><th>View</th><th>Score</th><th>Airspace opacity</th></tr></thead>\
<tbody>${rows}</tbody></table>`;
  const failed = markup`<ul>${failures.map((failure) => markup`<li>${failureSentence(failure)}</li>`)}</ul>`;
  return markup`<div xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en"><p><b>${reviewNotice}</b></p>\
<p>${conclusionSentences(reading).join(' ')}</p>${images.length > 0 ? table : null}${failures.length > 0 ? failed : null}\
${images.length > 0 ? markup`<p>${scoreNotice}</p>` : null}</div>`.text;
}
