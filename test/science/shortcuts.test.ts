import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Examine } from '../../src/core/examination.ts';
import { Failure } from '../../src/core/failure.ts';
import { wholeFilm } from '../../src/core/lungs.ts';
import { readPicture } from '../../src/model/picture-file.ts';
import { greyPng } from '../../src/model/picture-writer.ts';
import { uniform } from '../../src/model/random.ts';
import type { Film } from '../../src/science/predictions.ts';
import { type ChangeName, changeNames, checkShortcuts } from '../../src/science/shortcuts.ts';
import { makeFilm, mapWith } from './scored-films.ts';

const folder = mkdtempSync(join(tmpdir(), 'cxr-shortcut-films-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// Of this process alone: other suites examine films at the same time.
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`cxr-shortcuts-${process.pid}-`));

/** Places that a reader may look at: a spot in each lung, and the marker's corner. */
const spots = { lung: [0.3, 0.5], corner: [0.05, 0.05] } as const;
type Spot = keyof typeof spots;
const [columns, rows] = [80, 100];

/** Grey films in which sick ones are brighter at the spot. */
async function drawFilms(spot: Spot, count = 24): Promise<readonly Film[]> {
  const draw = uniform(9);
  const [x, y] = spots[spot];
  const films: Film[] = [];
  for (let i = 0; i < count; i++) {
    const positive = i % 2 === 0;
    const levels = Uint8Array.from({ length: columns * rows }, () => 100 + 20 * draw());
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const near = Math.abs(column / columns - x) < 0.06 && Math.abs(row / rows - y) < 0.06;
        if (near) levels[row * columns + column] = (positive ? 190 : 150) + 40 * (draw() - 0.5);
      }
    }
    const path = join(folder, `${spot}-${i}.png`);
    writeFileSync(path, await greyPng({ columns, rows, levels }));
    const { score } = await readerOf(spot)(path);
    const source = i % 4 < 2 ? 'east' : 'west';
    films.push(
      makeFilm({ path, file: path, positive, score: Math.round(score * 1e6) / 1e6, group: String(i), source }),
    );
  }
  return films;
}

/** Reads the file as the real reader does, and looks at one spot alone. */
function readerOf(spot: Spot): Examine {
  return async (path) => {
    const film = await readPicture(readFileSync(path), 1e6);
    const [x, y] = spots[spot];
    const at = Math.floor(y * film.rows) * film.columns + Math.floor(x * film.columns);
    const near = [0, 1, 2, film.columns, film.columns + 1].map((step) => film.pixels[at + step]!);
    const score = near.reduce((sum, value) => sum + value, 0) / near.length;
    const picture = null;
    return {
      score,
      features: new Float32Array(1),
      map: mapWith({}),
      window: wholeFilm,
      fileDigest: '',
      header: null,
      picture,
    };
  };
}

async function aucsOf(spot: Spot) {
  const films = await drawFilms(spot);
  const told: string[] = [];
  const { changes, dicomLeftOut } = await checkShortcuts(films, {
    examine: readerOf(spot),
    atOnce: 2,
    progress: (done, total) => told.push(`${done}/${total}`),
  });
  const figure = (name: ChangeName) => changes.find((change) => change.name === name)!;
  return { figure, changes, dicomLeftOut, told };
}

test('a reader of lungs falls to chance without lungs and keeps its figure without all else', async () => {
  const { figure, changes, told } = await aucsOf('lung');
  expect(changes.map(({ name }) => name)).toEqual(changeNames);
  expect(figure('lungs_masked').whole.value).toBeGreaterThan(0.9);
  expect(Math.abs(figure('lungs_masked').area.value! - 0.5)).toBeLessThan(0.25);
  expect(figure('lungs_masked').change.value).toBeLessThan(-0.25);
  expect(figure('lungs_masked').change.ci95![1]).toBeLessThan(0);
  for (const name of ['edges_masked', 'corners_masked', 'lungs_alone'] as const) {
    expect(figure(name)).toMatchObject({ change: { value: 0 }, unmoved: 24, refused: 0, positives: 12, negatives: 12 });
  }
  expect(figure('equalised').area.value).toBeGreaterThan(0.85);
  expect(told).toHaveLength(24);
  expect(told.at(-1)).toBe('24/24');
});

test('a reader of markers is found out by masked corners, and by lungs masked in vain', async () => {
  const { figure } = await aucsOf('corner');
  expect(figure('corners_masked').change.value).toBeLessThan(-0.25);
  expect(figure('edges_masked').change.value).toBeLessThan(-0.25);
  expect(figure('lungs_masked').change.value).toBe(0);
  expect(figure('lungs_masked').area.ci95?.[0] ?? 1).toBeGreaterThan(0.5);
  expect(figure('lungs_alone').change.value).toBeLessThan(-0.25);
});

test('figures stand by source too, on the same films before and after', async () => {
  const { figure } = await aucsOf('lung');
  const { bySource, byView } = figure('lungs_masked');
  expect(bySource.map(({ stratum, positives, negatives }) => [stratum, positives, negatives])).toEqual([
    ['east', 6, 6],
    ['west', 6, 6],
  ]);
  expect(byView).toHaveLength(1);
  for (const { whole, area, change } of bySource) expect(change.value).toBeCloseTo(area.value! - whole.value!, 12);
});

test('a changed film that the reader refuses is counted and in no figure of that change', async () => {
  const films = await drawFilms('lung');
  const read = readerOf('lung');
  let calls = 0;
  // Each film is asked for after each change, in their order: the third change of the first film.
  const examine: Examine = async (path) => {
    if (++calls === 3) throw new Failure('constant-image');
    return read(path);
  };
  const { changes } = await checkShortcuts(films, { examine, atOnce: 1, progress: () => {} });
  expect(changes.map(({ refused, positives }) => [refused, positives])).toEqual([
    ...[
      [0, 12],
      [0, 12],
    ],
    ...[
      [1, 11],
      [0, 12],
      [0, 12],
    ],
  ]);
});

test('DICOM films are left out and counted, because a rewritten one would be another film', async () => {
  const [first, ...others] = await drawFilms('lung');
  const path = join(folder, 'film.dcm');
  writeFileSync(path, Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]));
  const options = { examine: readerOf('lung'), atOnce: 2, progress: () => {} };
  const { changes, dicomLeftOut } = await checkShortcuts([{ ...first!, path }, ...others], options);
  expect(dicomLeftOut).toBe(1);
  expect(changes[0]).toMatchObject({ positives: 11, negatives: 12 });
  const all = await checkShortcuts([{ ...first!, path }], options);
  expect(all.dicomLeftOut).toBe(1);
  expect(all.changes[0]).toMatchObject({ area: { value: null }, change: { value: null, ci95: null } });
});

test('changed films are gone afterwards, whatever happened, because they are patient data', async () => {
  const before = leftovers();
  const films = await drawFilms('lung', 4);
  await checkShortcuts(films, { examine: readerOf('lung'), atOnce: 2, progress: () => {} });
  const broken: Examine = async () => {
    throw new Failure('model-unusable');
  };
  const ended = checkShortcuts(films, { examine: broken, atOnce: 2, progress: () => {} });
  await expect(ended).rejects.toMatchObject({ code: 'model-unusable' });
  expect(leftovers()).toEqual(before);
});
