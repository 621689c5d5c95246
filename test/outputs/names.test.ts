import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, describe as suite, test } from '@jest/globals';
import fc from 'fast-check';
import { describe, studyHeader } from '../../src/dicom/header.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { displayName, toHumanNames } from '../../src/fhir/names.ts';
import { dicomSr } from '../../src/outputs/dicom-sr.ts';
import { createFhirReport } from '../../src/outputs/fhir-report.ts';
import { heatmapSc } from '../../src/outputs/heatmap-sc.ts';
import { examples } from '../dicom/charset-examples.ts';
import { element, film, filmFiles, filmPath, runPython, testWith, withFolder } from '../dicom/reading-support.ts';
import { compose, procedures, reportOptions } from '../fhir/support.ts';
import { makeImageReading, makePicture, makeReading } from '../support/readings.ts';

/** Fault 92: a name in any character set, from the bytes of a film to the SR, the Secondary Capture and the FHIR report. */

/** What the results of a film of that name say: bytes of the DICOM objects, and the contained patient and subject of the report. */
function resultsOf(terms: string, name: Uint8Array) {
  const file = film(undefined, {
    '00080005': element('00080005', 'CS', terms),
    '00080060': element('00080060', 'CS', 'DX'),
    '00100010': element('00100010', 'PN', name),
  });
  const { study, image } = describe(parsePart10(file).header);
  const composition = compose(makeReading({ study, images: [makeImageReading({ image })] }), makePicture(8, 8));
  const [sr] = dicomSr.compose(composition);
  const [heatmap] = heatmapSc.compose(composition);
  const [bundle] = createFhirReport({ procedures, report: reportOptions }).compose(composition);
  const { entry } = JSON.parse(Buffer.from(bundle!.bytes).toString('utf8')) as { entry: { resource: Loose }[] };
  const report = entry.find(({ resource }) => resource.resourceType === 'DiagnosticReport')!.resource;
  return { sr: sr!.bytes, heatmap: heatmap!.bytes, report };
}

interface Loose {
  readonly resourceType: string;
  readonly subject: { readonly display: string };
  readonly contained: readonly { readonly resourceType: string; readonly name: unknown }[];
}

const fromHex = (hex: string): Uint8Array => Buffer.from(hex.replace(/\s/g, ''), 'hex');

suite('fault 92: a name in the bytes of its archive', () => {
  test.each(examples)('is the same name in every result: %s', (_where, terms, hex, name) => {
    const { report } = resultsOf(terms, fromHex(hex));
    const written = name.replace(/=+$/, '');
    expect(report.subject.display).toBe(displayName(written));
    const patient = report.contained.find(({ resourceType }) => resourceType === 'Patient');
    expect(patient?.name).toEqual(toHumanNames(written));
  });

  testWith('python')('is what another reader finds in the SR and the Secondary Capture, for every example', () =>
    withFolder(async (folder) => {
      const paths = examples.flatMap(([, terms, hex], index) => {
        const { sr, heatmap } = resultsOf(terms, fromHex(hex));
        return [sr, heatmap].map((bytes, kind) => write(join(folder, `${index}-${kind}.dcm`), bytes));
      });
      expect(namesByPydicom(paths)).toEqual(
        examples.flatMap(([, , , name]) => [name.replace(/=+$/, ''), name.replace(/=+$/, '')]),
      );
    }),
  );

  testWith('films', 'python')('is what another reader finds, for files of many writers grafted onto a film', () =>
    withFolder(async (folder) => {
      const files = filmFiles().filter((file) => file.includes('charset_files'));
      expect(files).toHaveLength(9);
      const originals = runPython('raw_names.py', ...files.map(filmPath)).map((line) => JSON.parse(line) as Original);
      const results = originals.map(({ charset, hex }) => resultsOf(charset, fromHex(hex)));
      const paths = results.map(({ sr }, index) => write(join(folder, `${index}.dcm`), sr));
      expect(namesByPydicom(paths)).toEqual(originals.map(({ name }) => name));
      expect(results.map(({ report }) => report.subject.display)).toEqual(
        originals.map(({ name }) => displayName(name)),
      );
    }),
  );
});

const script = (...ranges: readonly (readonly [number, number])[]) =>
  fc.oneof(...ranges.map(([min, max]) => fc.integer({ min, max }).map((code) => String.fromCodePoint(code))));
/** Latin, combining marks, Hebrew, Arabic, Devanagari, Thai, kana, Han, Hangul, emoji with joiners. */
const letter = script(
  [0x41, 0x5a],
  [0xc0, 0xff],
  [0x300, 0x36f],
  [0x5d0, 0x5ea],
  [0x621, 0x64a],
  [0x904, 0x94d],
  [0xe01, 0xe4e],
  [0x3041, 0x30fe],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0x1f600, 0x1f64f],
  [0x200d, 0x200d],
);
const component = fc.array(letter, { minLength: 1, maxLength: 12 }).map((letters) => `A${letters.join('')}z`);

test('fault 96: marks, right-to-left letters and emoji are in the results as they came, none cut inside a letter', () => {
  fc.assert(
    fc.property(fc.array(component, { minLength: 1, maxLength: 5 }), (components) => {
      const name = components.join('^');
      const { sr, report } = resultsOf('ISO_IR 192', Buffer.from(name));
      const { PatientName } = studyHeader(parsePart10(sr).header).header;
      // A group of more than 64 characters is left out whole (fault 97).
      const fits = [...name].length <= 64;
      expect(PatientName).toBe(fits ? name : null);
      expect(report.subject.display).toBe(fits ? displayName(name) : 'Patient not named in the image');
    }),
    { numRuns: 60 },
  );
});

interface Original {
  readonly charset: string;
  readonly hex: string;
  readonly name: string;
}

function write(path: string, bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  return path;
}

const namesByPydicom = (paths: readonly string[]): readonly unknown[] =>
  runPython('texts.py', ...paths).map((line) => (JSON.parse(line) as Record<string, string[]>)['00100010']?.[0]);
