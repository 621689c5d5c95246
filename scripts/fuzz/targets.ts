import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/core/failure.ts';
import type { Dataset } from '../../src/core/study.ts';
import { build } from '../../src/dicom/build.ts';
import { createTextDecoder } from '../../src/dicom/charset.ts';
import { datasetOrFailure } from '../../src/dicom/dataset.ts';
import { describe } from '../../src/dicom/header.ts';
import { itemsOf, NoJsonArray } from '../../src/dicom/json-array.ts';
import { mediaTypeOf } from '../../src/dicom/media-type.ts';
import { readOnePart } from '../../src/dicom/multipart.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { pixelDigest, storedPixels } from '../../src/dicom/pixels.ts';
import { createSelectionRules, select } from '../../src/dicom/select.ts';
import { explain } from '../../src/dicom/select-explain.ts';
import { readPicture } from '../../src/model/picture-file.ts';
import { expectChest } from '../../src/model/pixel-gate.ts';
import { hangFilm } from '../../src/reader/hanging.ts';
import { makeSmallFilm } from '../../test/support/films.ts';

/** What strangers can send, and the code that meets it. Each must answer with a value or a Failure, soon, and in little memory. */

export interface Target {
  /** Good inputs to start from; `films` is a folder of DICOM files, or absent. */
  readonly seeds: (films: string | null) => readonly Uint8Array[];
  readonly run: (input: Uint8Array) => Promise<void> | void;
  /** Longest that one input may take, milliseconds. */
  readonly mostMs: number;
}

const mapping = (name: string): unknown => JSON.parse(readFileSync(`mappings/${name}.json`, 'utf8'));
const rules = createSelectionRules(mapping('selection'), mapping('views'));
const context = { now: Date.UTC(2026, 0, 1), ownDeviceUids: new Set<string>(), ownUids: new Set<string>() };

function choose(header: Dataset): void {
  select([{ key: 'input', header, failure: null }], rules, context);
  explain(header, { rules, context, rejected: new Set() });
  describe(header);
}

const largestSeed = 100_000;
const smallSide = 8;

function filmsIn(folder: string | null): readonly Uint8Array[] {
  if (folder === null || !existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size <= largestSeed)
    .sort()
    .map((path) => new Uint8Array(readFileSync(path)));
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const step = 1 + (bytes.length % 97);
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

const charsets: readonly (readonly string[])[] = [
  [''],
  ['ISO_IR 192'],
  ['ISO_IR 100'],
  ['ISO_IR 13'],
  ['GB18030'],
  ['GBK'],
  ['', 'ISO 2022 IR 87'],
  ['ISO 2022 IR 13', 'ISO 2022 IR 87', 'ISO 2022 IR 159'],
  ['', 'ISO 2022 IR 149'],
  ['', 'ISO 2022 IR 58'],
];

/** `drawn` makes a film for places without a folder of films. */
/** A start where there are no films: a picture, sequences and texts. */
const drawn = (): Uint8Array =>
  makeSmallFilm(1, {
    ViewCodeSequence: [
      build({ CodeValue: '399348003', CodingSchemeDesignator: 'SCT', CodeMeaning: 'postero-anterior' }),
    ],
  });

export function createTargets(): Readonly<Record<string, Target>> {
  return {
    header: {
      seeds: (films) => [drawn(), ...filmsIn(films)],
      run: (input) => choose(parsePart10(input).header),
      mostMs: 3000,
    },
    film: {
      seeds: (films) => [drawn(), ...filmsIn(films)],
      run: async (input) => {
        const part10 = parsePart10(input);
        // Small seeds: the size that a reading needs is larger than they are.
        pixelDigest(await storedPixels(part10, smallSide));
        const { film } = await hangFilm(part10, {});
        expectChest(film);
      },
      mostMs: 20_000,
    },
    multipart: {
      seeds: () => [
        text('\r\n--b\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--b--\r\n'),
        text(
          'preamble\r\n--b  \r\nContent-Length: 4\r\nContent-Type: "application/dicom"\r\n\r\nDICM\r\n--b--epilogue',
        ),
        text('--b\r\n\r\nx\r\n--b--'),
      ],
      run: async (input) => {
        let bytes = 0;
        const type = mediaTypeOf('multipart/related; type="application/dicom"; boundary=b');
        for await (const piece of readOnePart(inPieces(input), type)) bytes += piece.length;
        if (bytes > input.length) throw new Error('more bytes than were sent');
      },
      mostMs: 3000,
    },
    'content-type': {
      seeds: () => [
        text('multipart/related; type="application/dicom"; boundary="a\\"b"'),
        text('text/html;charset=utf-8'),
      ],
      run: (input) => void mediaTypeOf(Buffer.from(input).toString('latin1')),
      mostMs: 1000,
    },
    'dicom-json': {
      seeds: () => [
        text(
          '[{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.1.1"]},"00080018":{"vr":"UI","Value":["1.2.3"]},"0020000D":{"vr":"UI","Value":["1.2"]},"0020000E":{"vr":"UI","Value":["1.2.1"]},"00080060":{"vr":"CS","Value":["DX"]},"00280010":{"vr":"US","Value":[2500]},"00280011":{"vr":"US","Value":[2048]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"}]},"00080068":{"vr":"CS"},"00540220":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["399348003"]},"00080102":{"vr":"SH","Value":["SCT"]}}]}}, {"00080018":{"vr":"UI","Value":["1.2.4"]}} ]',
        ),
      ],
      run: async (input) => {
        try {
          for await (const item of itemsOf(inPieces(input), 1_000_000)) {
            const dataset = datasetOrFailure(item);
            if (!(dataset instanceof Failure)) choose(dataset);
          }
        } catch (thrown) {
          if (!(thrown instanceof NoJsonArray)) throw thrown;
        }
      },
      mostMs: 3000,
    },
    charset: {
      seeds: () => [
        text('\x07Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B'),
        text('\x08Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7'),
        text('\x04Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab'),
        text('\x01\xc3\x84neas^R\xc3\xbcdiger'),
      ],
      run: ([first = 0, ...rest]) => {
        const decode = createTextDecoder(charsets[first % charsets.length]!, () => {});
        for (const kind of ['name', 'list', 'single'] as const) decode(Uint8Array.from(rest), kind);
      },
      mostMs: 1000,
    },
    picture: {
      seeds: () => ['docs/heatmap.jpg', 'docs/lung-template.jpg'].map((path) => new Uint8Array(readFileSync(path))),
      run: async (input) => void (await readPicture(input, 16e6)),
      mostMs: 10_000,
    },
  };
}
