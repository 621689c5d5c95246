import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import sharp from 'sharp';
import type { ActivationMap, Picture } from '../../src/core/reading.ts';
import type { Radiograph } from '../../src/core/study.ts';
import { findingSentence } from '../../src/core/wording.ts';
import { heatColour, heatWeight } from '../../src/model/colour.ts';
import { croppedAxis, identityAxis, resizedAxis } from '../../src/model/geometry.ts';
import { legendLines, type Verdict } from '../../src/model/legend.ts';
import { letter } from '../../src/model/lettering.ts';
import { drawOverlay, layoutFor, type OverlayRequest } from '../../src/model/overlay.ts';
import { loadNarrow } from './models.ts';

const film = (columns: number, rows: number, pixelAspect = 1): Radiograph => ({
  columns,
  rows,
  pixels: new Float32Array(columns * rows).fill(0.5),
  pixelAspect,
});

const verdict: Verdict = {
  model: loadNarrow().identity,
  score: 0.8731,
  decision: 'present',
  operatingPoint: 0.5,
  flagSuspectedCovid: true,
  heatMax: 10,
};

const mapOf = (values: Readonly<Record<number, number>>): ActivationMap => ({
  columns: 7,
  rows: 7,
  values: Array.from({ length: 49 }, (_, cell) => values[cell] ?? 0),
});

const request = (overrides: Partial<OverlayRequest> = {}): OverlayRequest => {
  const radiograph = overrides.radiograph ?? film(700, 700);
  const { columns, rows } = radiograph;
  const geometry = { x: resizedAxis(identityAxis(columns), 224), y: resizedAxis(identityAxis(rows), 224) };
  return { radiograph, map: mapOf({}), geometry, verdict, maxSide: 512, ...overrides };
};

const pixel = ({ rgb, columns }: Picture, x: number, y: number): readonly number[] =>
  Array.from(rgb.subarray((Math.round(y) * columns + Math.round(x)) * 3).subarray(0, 3));

/** Number of pixels of a part of the picture that are not grey. */
function coloured(picture: Picture, fromRow: number, toRow: number): number {
  let count = 0;
  for (let i = fromRow * picture.columns; i < toRow * picture.columns; i++) {
    const [red, green, blue] = picture.rgb.subarray(i * 3, i * 3 + 3);
    if (red !== green || green !== blue) count++;
  }
  return count;
}

describe('the size of the picture', () => {
  test.each<[string, Radiograph]>([
    ['portrait', film(2048, 2500)],
    ['landscape', film(2500, 2048)],
    ['square', film(440, 440)],
    ['a strip', film(60, 900)],
    ['high pixels', film(400, 400, 2)],
    ['flat pixels', film(400, 400, 0.5)],
  ])(
    'keeps the longest side and the aspect of a film (%s), because a squashed heart looks enlarged',
    (_, radiograph) => {
      for (const maxSide of [256, 1024, 4096]) {
        const layout = layoutFor(radiograph, maxSide);
        expect(Math.max(layout.columns, layout.rows)).toBeLessThanOrEqual(maxSide);
        expect(Math.max(layout.columns, layout.rows)).toBeGreaterThan(maxSide * 0.95);
        const aspect = (radiograph.rows * radiograph.pixelAspect) / radiograph.columns;
        expect(Math.abs(layout.film.rows - layout.film.columns * aspect)).toBeLessThanOrEqual(0.5 + aspect / 2);
      }
    },
  );

  test('is the same in bytes and JPEG', async () => {
    const picture = await drawOverlay(request());
    expect(picture.rgb).toHaveLength(picture.columns * picture.rows * 3);
    const { format, width, height } = await sharp(picture.jpeg).metadata();
    expect({ format, width, height }).toEqual({ format: 'jpeg', width: picture.columns, height: picture.rows });
  });
});

describe('the heat', () => {
  const filmRows = layoutFor(film(700, 700), 512).film.rows;
  const at = (cell: number) => ((cell + 0.5) / 7) * filmRows;
  const left = layoutFor(film(700, 700), 512).film.left;

  test('of a map without positive values is none at all: the film stays grey', async () => {
    expect(coloured(await drawOverlay(request()), 0, filmRows)).toBe(0);
  });

  test('is deep red where the map is at the top of the scale, as in the paper', async () => {
    const picture = await drawOverlay(request({ map: mapOf({ 10: 10 }) }));
    const [red, green, blue] = pixel(picture, left + at(3), at(1));
    expect(red! - green!).toBeGreaterThan(50);
    expect(green).toBe(blue);
    expect(pixel(picture, left + at(3), at(5))).toEqual([128, 128, 128]);
  });

  test('stays blue on a film far below the scale, because the scale is the model’s and not the film’s', async () => {
    const picture = await drawOverlay(request({ map: mapOf({ 10: 1.5 }) }));
    const [red, , blue] = pixel(picture, left + at(3), at(1));
    expect(blue! - red!).toBeGreaterThan(50);
  });

  test('lies only where the network looked, because of a central crop', async () => {
    const axis = resizedAxis(croppedAxis(identityAxis(700), 175, 350), 224);
    const map = { columns: 7, rows: 7, values: new Array<number>(49).fill(10) };
    const picture = await drawOverlay(request({ map, geometry: { x: axis, y: axis } }));
    expect(pixel(picture, left + filmRows * 0.2, filmRows / 2)).toEqual([128, 128, 128]);
    expect(pixel(picture, left + filmRows * 0.3, filmRows / 2)).not.toEqual([128, 128, 128]);
    expect(pixel(picture, left + filmRows * 0.8, filmRows / 2)).toEqual([128, 128, 128]);
  });

  test('has a scale from deep blue to deep red that starts transparent', () => {
    expect([heatColour(0), heatColour(1)]).toEqual([
      [0, 0, 128],
      [128, 0, 0],
    ]);
    expect([heatWeight(0), heatWeight(-1)]).toEqual([0, 0]);
    expect(heatColour(0.5)).toEqual([128, 255, 128]);
  });
});

describe('the legend', () => {
  const texts = (overrides: Partial<Verdict>) => legendLines({ ...verdict, ...overrides }).map(({ text }) => text);

  test('says what, how sure, by whom, and that nobody has looked', () => {
    expect(texts({})).toEqual([
      'Airspace opacity suspicious for COVID-19.',
      'p(opacity) 0.873, operating point 0.500',
      'ResNet-101 of width 4, untrained, version 1',
      'Heat scale 0 to 10, the same for every film',
      'AI output, not reviewed. For research use.',
      'UNTRAINED MODEL',
    ]);
  });

  test('flags COVID-19 only when positive and only when the site wants it', () => {
    const flag = 'Airspace opacity suspicious for COVID-19.';
    expect(texts({ decision: 'absent', score: 0.1 })).not.toContain(flag);
    expect(texts({ flagSuspectedCovid: false })[0]).toBe('Airspace opacity present.');
  });

  test('says of a negative that it does not rule out COVID-19, in the words of the report', () => {
    const [sentence] = texts({ decision: 'absent', score: 0.1 });
    expect(sentence).toBe(findingSentence('absent', { flagSuspectedCovid: true }));
    expect(sentence).toMatch(/does not rule out COVID-19/);
  });

  test('does not call a trained model untrained', () => {
    expect(texts({ model: { ...verdict.model, training: 'trained' } })).not.toContain('UNTRAINED MODEL');
  });

  test('never rounds a score across its operating point, because the line would contradict the decision', () => {
    expect(texts({ score: 0.49996, decision: 'absent' })).toContain('p(opacity) 0.49996, operating point 0.50000');
    expect(texts({ score: 0.5, decision: 'present' })).toContain('p(opacity) 0.500, operating point 0.500');
  });

  test('fits seven lines below the film, in letters of 16 pixels on a picture of 1,024', async () => {
    const { columns, rows, film: drawn, letterSize, margin } = layoutFor(film(2048, 2500), 1024);
    expect(letterSize).toBe(16);
    const picture = await drawOverlay(request({ radiograph: film(2048, 2500), maxSide: 1024 }));
    const ink = (fromRow: number, toRow: number) =>
      picture.rgb.subarray(fromRow * columns * 3, toRow * columns * 3).some((level) => level > 100);
    expect(ink(drawn.rows + margin, rows - margin)).toBe(true);
    expect(ink(rows - Math.floor(margin / 2), rows)).toBe(false);
  });

  test('makes a long name smaller rather than cutting it', async () => {
    const text = 'a very long model name & <version> that a manifest is allowed to have, 64 W';
    const label = await letter({ text, bold: true, colour: '#ffffff' }, 16, 300);
    expect(label.columns).toBeLessThanOrEqual(300);
    expect(label.columns).toBeGreaterThan(200);
  });
});

test('letters are those of the npm package, because a server may have no fonts', async () => {
  const line = { text: 'AI output, not reviewed', bold: true, colour: '#ffffff' };
  const script = `
    const { letter } = await import(process.argv[1]);
    const { columns, rows, rgba } = await letter(${JSON.stringify(line)}, 40, 2000);
    console.log(JSON.stringify({ columns, rows, ink: rgba.filter((_, i) => i % 4 === 3 && rgba[i] > 128).length }));`;
  const output = execFileSync(
    process.execPath,
    ['--input-type=module', '-e', script, resolve('src/model/lettering.ts')],
    { env: { FONTCONFIG_FILE: '/nonexistent/fonts.conf', HOME: '/nonexistent' }, encoding: 'utf8', stdio: 'pipe' },
  );
  const without = JSON.parse(output) as { columns: number; rows: number; ink: number };
  const here = await letter(line, 40, 2000);
  const ink = here.rgba.filter((_, i) => i % 4 === 3 && here.rgba[i]! > 128).length;
  expect(Math.abs(without.columns - here.columns)).toBeLessThanOrEqual(3);
  expect(Math.abs(without.ink / ink - 1)).toBeLessThan(0.05);
});
