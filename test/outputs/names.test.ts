import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, describe as suite, test } from '@jest/globals';
import { describe } from '../../src/dicom/header.ts';
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
  const composition = compose(makeReading({ study, images: [makeImageReading({ image })] }), makePicture());
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
