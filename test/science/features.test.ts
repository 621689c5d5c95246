import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Examine } from '../../src/core/examination.ts';
import { Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import { wholeFilm } from '../../src/core/lungs.ts';
import { openFeatureStore } from '../../src/science/feature-store.ts';
import { type ExtractionProgress, extractFeatures } from '../../src/science/features.ts';
import { withoutCopies } from '../../src/science/training-films.ts';
import { loadNarrow } from '../model/models.ts';

const folders: string[] = [];
const temporaryFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-features-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const { manifest } = loadNarrow();
const width = manifest.outputs.features.shape[1];
const featuresOf = (seed: number) => Float32Array.from({ length: width }, (_, k) => Math.sin(seed + k));

/** Films that hold their own number, and a reader that knows it. */
function films(count: number) {
  const root = temporaryFolder();
  const files = Array.from({ length: count }, (_, i) => `${i}.jpg`);
  for (const file of files) writeFileSync(join(root, file), file);
  const asked: string[] = [];
  const examine: Examine = async (path) => {
    asked.push(basename(path));
    const text = readFileSync(path, 'utf8');
    if (text === 'broken') throw new Failure('decode-failed', { where: 'JPEG' });
    const map = { columns: 7, rows: 7, values: new Array<number>(49).fill(0) };
    return {
      ...{ score: 0.5, features: featuresOf(Number.parseInt(text, 10)), map },
      ...{ fileDigest: sha256(text), header: null, window: wholeFilm, picture: null },
    };
  };
  const unreadable: string[] = [];
  const told: ExtractionProgress[] = [];
  const toolsWith = (work: string, signal = new AbortController().signal) => ({
    ...{ root, examine, signal, store: openFeatureStore(work, manifest), atOnce: 3 },
    progress: (progress: ExtractionProgress) => told.push(progress),
    unreadable: (file: string, failure: Failure) => unreadable.push(`${file} ${failure.code}`),
  });
  return { root, files, asked, unreadable, told, toolsWith };
}

describe('features', () => {
  test('are taken once: a second run asks the reader nothing and gets the same numbers', async () => {
    const { files, asked, told, toolsWith } = films(20);
    const work = temporaryFolder();
    const first = await extractFeatures(files, toolsWith(work));
    expect(asked).toHaveLength(20);
    const second = await extractFeatures(files, toolsWith(work));
    expect(asked).toHaveLength(20);
    expect(second).toEqual(first);
    expect(second.films.map(({ features }) => features)).toEqual(files.map((_, i) => featuresOf(i)));
    expect(told.at(-1)).toEqual({ done: 20, total: 20, known: 20 });
  });

  test('that were taken before a stop are there afterwards, because hours must not be lost', async () => {
    const { files, asked, told, toolsWith } = films(20);
    const work = temporaryFolder();
    const abort = new AbortController();
    const tools = toolsWith(work, abort.signal);
    const stopping = { ...tools, progress: (p: ExtractionProgress) => (p.done === 7 ? abort.abort() : told.push(p)) };
    await expect(extractFeatures(files, stopping)).rejects.toThrow(/abort/i);
    const before = asked.length;
    expect(before).toBeLessThan(20);
    await extractFeatures(files, toolsWith(work));
    expect(asked).toHaveLength(20 + asked.length - new Set(asked).size);
    expect(asked.length - before).toBeLessThanOrEqual(14);
  });

  test('are taken anew where the record is cut or altered, and for another backbone', async () => {
    const { files, asked, toolsWith } = films(3);
    const work = temporaryFolder();
    const first = await extractFeatures(files, toolsWith(work));
    const [own] = readdirSync(work);
    const [cut, altered] = readdirSync(join(work, own!)).map((name) => join(work, own!, name));
    truncateSync(cut!, 100);
    const bytes = readFileSync(altered!);
    bytes[5]! ^= 1;
    writeFileSync(altered!, bytes);
    expect(await extractFeatures(files, toolsWith(work))).toEqual(first);
    expect(asked).toHaveLength(5);
    const other = { ...manifest, weights: { ...manifest.weights, sha256: 'b'.repeat(64) } };
    const steps = { ...manifest, preprocess: manifest.preprocess.slice(0, 3) as typeof manifest.preprocess };
    for (const changed of [other, steps])
      expect(openFeatureStore(work, changed).get(first.films[0]!.fileDigest)).toBeNull();
  });

  test('of one unreadable film in a hundred are left out and the film is named', async () => {
    const { root, files, unreadable, toolsWith } = films(100);
    writeFileSync(join(root, '40.jpg'), 'broken');
    const { films: read, unreadable: count } = await extractFeatures(files, toolsWith(temporaryFolder()));
    expect([read.length, count, unreadable]).toEqual([99, 1, ['40.jpg decode-failed']]);
    expect(read.map(({ index }) => index)).not.toContain(40);
  });

  test('of more than one in a hundred end the run, because the folder is wrong then', async () => {
    const { root, files, unreadable, toolsWith } = films(199);
    for (const file of ['3.jpg', '9.jpg']) rmSync(join(root, file));
    await expect(extractFeatures(files, toolsWith(temporaryFolder()))).rejects.toThrow(
      /images-unreadable.*at most 1 % of 199.*2 so far/,
    );
    expect(unreadable).toEqual(['3.jpg not-dicom', '9.jpg not-dicom']);
  });

  test('of a model that is unusable are nobody’s fault but the model’s', async () => {
    const { files, toolsWith } = films(5);
    const examine: Examine = async () => {
      throw new Failure('model-unusable', { where: 'graph' });
    };
    await expect(extractFeatures(files, { ...toolsWith(temporaryFolder()), examine })).rejects.toThrow(
      'model-unusable',
    );
  });
});

describe('the same bytes under several names', () => {
  const row = (file: string, group: string, label: 'none' | 'opacity' = 'none') =>
    ({ file, group, label, target: label === 'none' ? 0 : 1 }) as const;
  const extracted = (...digests: readonly string[]) =>
    digests.map((fileDigest, index) => ({ index, fileDigest, features: featuresOf(1) }));

  test('are one film, and their groups one group, because a copy on the other side is the film itself', () => {
    const rows = [row('a', 'A'), row('b', 'B'), row('a2', 'B'), row('c', 'C'), row('b2', 'C'), row('d', 'D')];
    const kept = withoutCopies(rows, extracted('1', '2', '1', '3', '2', '4'));
    expect(kept.map(({ file }) => file)).toEqual(['a', 'b', 'c', 'd']);
    expect(new Set(kept.slice(0, 3).map(({ group }) => group)).size).toBe(1);
    expect(kept[3]!.group).toBe('D');
  });

  test('with two labels are refused, because nobody knows which is true', () => {
    const rows = [row('a', 'A'), row('b', 'B', 'opacity')];
    expect(() => withoutCopies(rows, extracted('1', '1'))).toThrow(/table-invalid.*a and b/);
  });
});
