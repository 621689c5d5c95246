import { wholeFilm } from '../../src/core/lungs.ts';
import { assess } from '../../src/science/assess.ts';
import { type Area, areaChange, areaUnderCurve } from '../../src/science/delong.ts';
import { cautions, type Evaluation } from '../../src/science/evaluation.ts';
import { chooseGallery } from '../../src/science/gallery.ts';
import { assessHeatMaps } from '../../src/science/heat-map.ts';
import type { Film } from '../../src/science/predictions.ts';
import { reportHtml } from '../../src/science/report-html.ts';
import { type Compared, changeNames } from '../../src/science/shortcuts.ts';
import { startChromium, whyNoChromium } from '../services/chromium.ts';
import { drawnFilms } from './reference.ts';
import { mapWith } from './scored-films.ts';

const films: readonly Film[] = drawnFilms(11, 300, null).map(({ score, positive }, i) => ({
  ...{ score, positive, file: `film-${i}.jpg`, path: `film-${i}.jpg`, group: String(i), view: i % 2 ? 'PA' : 'AP' },
  ...{
    label: positive ? 'opacity' : 'none',
    decision: score >= 0.5 ? 'present' : 'absent',
    source: 'east',
    device: null,
    map: { columns: 1, rows: 1, values: [1] },
    window: wholeFilm,
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
    ...{ includeOther: false, groupsUnrelated: false, dicom: false, shortcuts: false },
  },
  table: { name: 'films.csv', sha256: 'b'.repeat(64), rows: scored.length, otherLeftOut: 0 },
  machine: { processor: 'drawn', cores: 2, readers: 2, threads: 1, provider: 'cpu', precision: 'float32' },
  evaluatedAt: '2026-01-01T00:00:00.000Z',
  overlapChecked: true,
  scoring: { films: scored, unreadable: [], alreadySeen: [], images: scored.length, elapsedMs: 60_000 },
  heatMaps: assessHeatMaps(scored, new Map()),
  shortcuts: null,
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
  const withShortcuts = (): string => {
    const halved = films.map(({ score, positive }) => ({ score: 1 - score, positive }));
    const compared = (change: Compared['change']) => ({
      ...{ positives: 105, negatives: 195, area: areaUnderCurve(halved), whole: areaUnderCurve(films), change },
    });
    const change = areaChange(films, halved);
    const changes = changeNames.map((name) => ({
      ...{ name, refused: name === 'lungs_alone' ? 2 : 0, unmoved: name === 'edges_masked' ? 300 : 0 },
      ...compared(change),
      ...{ bySource: [{ stratum: 'east', ...compared(change) }], byView: [] },
    }));
    const evaluation = { ...evaluationOf(films), shortcuts: { changes, dicomLeftOut: 3 } };
    return reportHtml(evaluation, chooseGallery(films, 0.5), new Map());
  };

  test('tells what each mask means and what it changed, because a figure without its reading is passed over', () => {
    const page = withShortcuts();
    for (const words of ['must fall to 0.5', 'Outer 12 % masked', 'median grey', '3 DICOM films were left out']) {
      expect(page).toContain(words);
    }
    expect(page).toMatch(/refused after the change: all but the lungs masked 2\./);
    expect(page).toMatch(/−0\.\d{3}<small>−0\.\d{3} to −0\.\d{3}/);
    expect(page).toContain('<td>100.0 %</td>');
    expect(pageOf(films)).not.toContain('What the model leans on');
  });

  test('warns where maps lie beside the lungs, because four fifths inside the widened template is soon reached', () => {
    const hot = (cell: number) => films.map((film) => ({ ...film, map: mapWith({ [cell]: 1 }) }));
    const warning = 'less than a flat map';
    expect(cautions(evaluationOf(hot(45))).join()).toContain(warning);
    expect(cautions(evaluationOf(hot(22))).join()).not.toContain(warning);
    expect(cautions(evaluationOf(films)).join()).not.toContain(warning);
  });

  test('warns where the classes are told apart without lungs', () => {
    const evaluation = evaluationOf(films);
    const figures = { positives: 1, negatives: 1, whole: areaUnderCurve(films), change: areaChange(films, films) };
    const masked = (area: Area) =>
      ({
        ...evaluation,
        shortcuts: {
          dicomLeftOut: 0,
          changes: [{ name: 'lungs_masked', ...figures, area, refused: 0, unmoved: 0, bySource: [], byView: [] }],
        },
      }) as const;
    const told = (low: number) => cautions(masked({ value: 0.6, ci95: [low, 0.7], standardError: 0.05 })).join();
    expect(told(0.51)).toContain('with the lungs masked');
    expect(told(0.49)).not.toContain('with the lungs masked');
  });

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
