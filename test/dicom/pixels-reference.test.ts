import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { pixelDigest, radiograph, type StoredPixels, storedPixels } from '../../src/dicom/pixels.ts';
import { filmFiles, filmPath, readFilm, runPython, testWith, withFolder } from './reading-support.ts';

/** Stored values and greys against pydicom, an independent reader with codecs of its own (libjpeg, OpenJPEG, CharLS). */

interface Reference {
  readonly error?: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly stored: Int32Array;
  readonly grey: Float32Array;
}

function references(folder: string, paths: readonly string[]): readonly Reference[] {
  return runPython('reference.py', folder, ...paths).map((line, index) => {
    const answer = JSON.parse(line) as Omit<Reference, 'stored' | 'grey'>;
    if (answer.error) return { ...answer, stored: new Int32Array(), grey: new Float32Array() };
    const bytes = (kind: string) => new Uint8Array(readFileSync(join(folder, `${index}.${kind}`))).buffer;
    return { ...answer, stored: new Int32Array(bytes('stored')), grey: new Float32Array(bytes('grey')) };
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = a[index]! - b[index]!;
    if (difference > largest) largest = difference;
    else if (-difference > largest) largest = -difference;
  }
  return largest;
}

const isLossy = (file: string): boolean => /J2KI|JLSN|_lossy|_near|_ext12|rsna_/.test(file);
/** Streams whose scan header no codec of pydicom accepts; `jpeg-dct.test.ts` holds them against dcmtk. */
const isRefusedThere = (file: string): boolean => /JPLY/.test(file);
const chestFilms = (): string[] =>
  filmFiles().filter((file) => /^(chest|chest-derived|nema-wg04\/RG\d)\//.test(file) && !isRefusedThere(file));

testWith('films', 'python')(
  'every chest film and computed radiograph has the stored values and greys that pydicom has, because a score is no better than its pixels',
  () =>
    withFolder(async (folder) => {
      const files = chestFilms();
      expect(files.length).toBeGreaterThanOrEqual(21);
      const answers = references(folder, files.map(filmPath));
      for (const [index, file] of files.entries()) {
        const { stored, grey, error } = answers[index]!;
        expect([file, error]).toEqual([file, undefined]);
        const part10 = parsePart10(readFilm(file));
        const pixels = await storedPixels(part10);
        expect([file, largestDifference(pixels.values, stored) <= (isLossy(file) ? 1 : 0)]).toEqual([file, true]);
        const own = radiograph(part10, pixels);
        expect([own.rows, own.columns]).toEqual([answers[index]!.rows, answers[index]!.columns]);
        expect([file, largestDifference(own.pixels, grey) <= 1 / 255]).toEqual([file, true]);
      }
    }),
  120_000,
);

testWith('python')(
  'every way in which a header describes greys gives the greys of pydicom, because models are trained on what viewers show (fault 88)',
  () =>
    withFolder(async (folder) => {
      const names = runPython('make_films.py', folder);
      expect(names.length).toBe(33);
      const paths = names.map((name) => join(folder, `${name}.dcm`));
      const answers = references(folder, paths);
      for (const [index, name] of names.entries()) {
        const { stored, grey, error } = answers[index]!;
        expect([name, error]).toEqual([name, undefined]);
        const part10 = parsePart10(new Uint8Array(readFileSync(paths[index]!)));
        const pixels = await storedPixels(part10);
        expect([name, largestDifference(pixels.values, stored)]).toEqual([name, 0]);
        const difference = largestDifference(radiograph(part10, pixels).pixels, grey);
        expect([name, difference <= 1e-4 ? 'equal' : difference]).toEqual([name, 'equal']);
      }
    }),
  120_000,
);

testWith('films')(
  'one film has one digest under every lossless transfer syntax, because a transcoding archive must not look like new pixels',
  async () => {
    const digests = new Map<string, string>();
    for (const file of chestFilms().filter((name) => name.includes('mono1_') && !isLossy(name))) {
      const pixels: StoredPixels = await storedPixels(parsePart10(readFilm(file)));
      digests.set(file, pixelDigest(pixels));
    }
    digests.delete('chest-derived/mono1_inverted_monochrome2.dcm');
    expect(digests.size).toBe(9);
    expect(new Set(digests.values()).size).toBe(1);
  },
);
