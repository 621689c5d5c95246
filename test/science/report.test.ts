import { assess } from '../../src/science/assess.ts';
import type { Evaluation } from '../../src/science/evaluation.ts';
import { chooseGallery } from '../../src/science/gallery.ts';
import type { Film } from '../../src/science/predictions.ts';
import { reportHtml } from '../../src/science/report-html.ts';
import { startChromium, whyNoChromium } from '../services/chromium.ts';
import { drawnFilms } from './reference.ts';

const films: readonly Film[] = drawnFilms(11, 300, null).map(({ score, positive }, i) => ({
  ...{ score, positive, file: `film-${i}.jpg`, path: `film-${i}.jpg`, group: String(i), view: i % 2 ? 'PA' : 'AP' },
  ...{
    label: positive ? 'opacity' : 'none',
    decision: score >= 0.5 ? 'present' : 'absent',
    source: 'east',
    device: null,
  },
}));

const evaluationOf = (scored: readonly Film[]): Evaluation => ({
  software: '0.0.0',
  model: {
    ...{ id: 'm', manufacturer: 'maker', name: 'Model', version: '1', sha256: 'a'.repeat(64), deviceUid: '2.25.1' },
    ...{ precision: 'float32', training: 'trained', preprocessing: 'none', intendedUse: 'tests' },
  },
  settings: {
    ...{ prevalence: 0.0257, targetSpecificity: 0.718, radiologistRate: 1.75, operatingPoint: 0.5 },
    ...{ includeOther: false, groupsUnrelated: false, dicom: false },
  },
  table: { name: 'films.csv', sha256: 'b'.repeat(64), rows: scored.length, otherLeftOut: 0 },
  machine: { processor: 'drawn', cores: 2, readers: 2, threads: 1 },
  evaluatedAt: '2026-01-01T00:00:00.000Z',
  overlapChecked: true,
  scoring: { films: scored, unreadable: [], alreadySeen: [], images: scored.length, elapsedMs: 60_000 },
  assessment: assess(scored, { manifestPoint: 0.5, targetSpecificity: 0.718, prevalence: 0.0257 }),
});

const pageOf = (scored: readonly Film[]): string => {
  const gallery = chooseGallery(scored, 0.5);
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
  const shown = Object.values(gallery).flat();
  return reportHtml(evaluationOf(scored), gallery, new Map(shown.map(({ path }) => [path, jpeg])));
};

describe('the gallery', () => {
  test('shows the worst errors and an even choice of what is right, because the best alone would flatter', () => {
    const gallery = chooseGallery(films, 0.5, 4);
    const wrong = films.filter(({ positive, score }) => !positive && score >= 0.5).map(({ score }) => score);
    expect(gallery.falsePositive.map(({ score }) => score)).toEqual(wrong.sort((a, b) => b - a).slice(0, 4));
    const missed = films.filter(({ positive, score }) => positive && score < 0.5).map(({ score }) => score);
    expect(missed.length).toBeGreaterThan(4);
    expect(gallery.falseNegative.map(({ score }) => score)).toEqual(missed.sort((a, b) => a - b).slice(0, 4));
    const right = films.filter(({ positive, score }) => positive && score >= 0.5).map(({ score }) => score);
    expect(gallery.truePositive[0]!.score).toBe(Math.max(...right));
    expect(gallery.truePositive[3]!.score).toBe(Math.min(...right));
    expect(Object.values(gallery).map((kind) => kind.length)).toEqual([4, 4, 4, 4]);
  });
});

describe('the report', () => {
  test('fetches nothing and runs nothing, because it is kept for years and sent by mail', () => {
    const page = pageOf(films);
    expect(page).not.toMatch(/<script|<link|<iframe|@import|javascript:|\son\w+=/i);
    expect([...page.matchAll(/(?:src|href)="([^"]{0,20})/g)].map(([, at]) => at!.slice(0, 11))).toEqual(
      Array.from({ length: 32 }, () => 'data:image/'),
    );
  });

  test('shows a file’s name as text whatever it is, because names come from outside', () => {
    const page = pageOf(films.map((film, i) => ({ ...film, file: `<img src=x onerror=alert(${i})>` })));
    expect(page).not.toContain('<img src=x');
    expect(page).toContain('&lt;img src=x onerror=alert(');
  });

  test('tells the known figures in its tables', () => {
    const { assessment } = evaluationOf(films);
    const { truePositives, falsePositives } = assessment.points[0]!.confusion;
    const page = pageOf(films);
    expect(page).toContain(`<td>Positive</td><td>${truePositives}</td>`);
    expect(page).toContain(`<td>Negative</td><td>${falsePositives}</td>`);
    expect(page).toContain(`AUC ${assessment.area.value!.toFixed(3)} (`);
    expect(page).toContain('prevalence of 2.57 %');
  });
});

const why = whyNoChromium();
if (why !== null && !process.env['CI']) console.warn(`skipped: the report in a browser, because ${why}`);
const testInBrowser = why === null || process.env['CI'] ? test : test.skip;

describe('the report in a browser', () => {
  testInBrowser('draws its plots and asks the network for nothing, because that is how it is read', async () => {
    const browser = await startChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => request.url().startsWith('data:') || asked.push(request.url()));
      page.on('console', (message) => complaints.push(message.text()));
      await page.setContent(pageOf(films));
      const plots = await page.locator('figure svg').all();
      expect(plots).toHaveLength(3);
      for (const drawing of plots) {
        const box = await drawing.boundingBox();
        expect(box!.width).toBeGreaterThan(250);
        expect(box!.height).toBeGreaterThan(230);
      }
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
      await page.setViewportSize({ width: 420, height: 800 });
      expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
      expect([asked, complaints]).toEqual([[], []]);
    } finally {
      await browser.close();
    }
  });
});
