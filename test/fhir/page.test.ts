import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Reading } from '../../src/core/reading.ts';
import { comment, findingSentence, reviewNotice } from '../../src/core/wording.ts';
import { reportHtml } from '../../src/fhir/html.ts';
import { narrative } from '../../src/fhir/narrative.ts';
import { startChromium, whyNoChromium } from '../services/chromium.ts';
import { makeImageHeader, makeImageReading, makeReading, makeStudyHeader, model } from '../support/readings.ts';
import { hostile } from './hostile.ts';
import { compose, drawPicture } from './support.ts';

/** The page of the report and the narrative, in the browser that a clinician would open them in. */

const why = whyNoChromium();
if (why && process.env['CI']) throw new Error(`Chromium is needed in CI: ${why}`);
if (why) console.warn(`Skipped, the suite in a real browser: ${why}.`);
const suite = why ? describe.skip : describe;

/** A folder to keep screenshots in, for a person who wants to look. */
const lookFolder = process.env['CXR_TEST_SCREENSHOTS'];

const failure = {
  StudyInstanceUID: makeStudyHeader().StudyInstanceUID,
  SeriesInstanceUID: '1.2.3.4',
  SOPInstanceUID: '1.2.3.4.5',
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
  failure: { code: 'truncated', detail: '' },
} as const;
const lower = makeImageReading({ score: 0.21, view: 'AP', image: makeImageHeader({ SOPInstanceUID: '1.2.3.9' }) });

suite('in a browser', () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const faults: string[] = [];
  beforeAll(async () => {
    browser = await startChromium();
    page = await browser.newPage({ viewport: { width: 1000, height: 1200 } });
    page.on('request', ({ url }) => requests.push(url()));
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('console', (line) => faults.push(line.text()));
  }, 60_000);
  afterAll(() => browser?.close());

  async function open(reading: Reading, name: string): Promise<void> {
    requests.length = 0;
    faults.length = 0;
    await page.setContent(reportHtml(compose(reading, await drawPicture())), { waitUntil: 'load' });
    if (lookFolder) writeFileSync(`${lookFolder}/${name}.png`, await page.screenshot({ fullPage: true }));
  }

  test.each<[string, Reading]>([
    ['positive', makeReading()],
    ['negative', makeReading({ images: [makeImageReading({ score: 0.0312 })] })],
    ['partial', makeReading({ images: [makeImageReading(), lower], failures: [failure] })],
    ['failed', makeReading({ images: [], failures: [failure] })],
    ['untrained', makeReading({ model: { ...model, training: 'untrained' } })],
    ['japanese', makeReading({ study: makeStudyHeader({ PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' }) })],
  ])(
    'the %s page shows notice, finding and films, and asks nobody for anything',
    async (name, reading) => {
      await open(reading, name);
      expect(await page.locator('.notice').last().textContent()).toBe(reviewNotice);
      expect(await page.locator('.finding').textContent()).toBe(findingSentence(reading.decision, reading.settings));
      const widths = await page
        .locator('img')
        .evaluateAll((images) => images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth));
      expect(widths).toEqual(reading.images.map(() => 410));
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([]);
      expect(faults).toEqual([]);
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBe(0);
    },
    30_000,
  );

  test('hostile header values are read as text, because a name is nothing else (T35)', async () => {
    for (const value of [
      ...hostile,
      '<img src=x onerror=document.title=1>',
      '</style><script>document.title=1</script>',
    ]) {
      await page.setContent(reportHtml(compose(makeReading({ study: studyOf(value) }))));
      expect(await page.locator('script, img').count()).toBe(0);
      expect(await page.locator('.identity dd').nth(1).textContent()).toBe(value);
      expect(await page.title()).toBe('Chest radiograph, AI reading (not reviewed)');
    }
  }, 60_000);

  test('the narrative is XHTML whatever the values hold, because a strict server refuses it otherwise (T35)', async () => {
    const readings = hostile.map((value) => {
      const image = makeImageReading({ image: makeImageHeader({ SOPInstanceUID: `${value}\u0000` }) });
      return makeReading({ images: [image, lower], failures: [{ ...failure, SOPInstanceUID: value }] });
    });
    for (const reading of readings) {
      const seen = await page.evaluate(call(outline, narrative(reading)));
      expect(seen).toEqual({
        root: 'div',
        faults: 0,
        cell: `${reading.images[0]!.image.SOPInstanceUID.slice(0, -1)}\ufffd`,
      });
    }
  }, 60_000);

  test('the narrative says what the conclusion says', async () => {
    const text = await page.evaluate<string>(call(plainText, narrative(makeReading())));
    for (const sentence of comment(makeReading()).split(/(?<=\.) /)) expect(text).toContain(sentence);
  });
});

const studyOf = (value: string) =>
  makeStudyHeader({ StudyDescription: value, PatientName: value, PatientID: value, AccessionNumber: value });

/** Calls a function of the browser's own language there, since a test file has no DOM. */
const call = (source: string, text: string): string => `(${source})(${JSON.stringify(text)})`;
const parse = `(text) => new DOMParser().parseFromString(text, 'application/xhtml+xml')`;
const outline = `(text) => {
  const parsed = (${parse})(text);
  const faults = parsed.getElementsByTagName('parsererror').length;
  return { root: parsed.documentElement.localName, faults, cell: parsed.querySelector('td')?.textContent };
}`;
const plainText = `(text) => (${parse})(text).documentElement.textContent`;
