import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attribute, Dataset } from '../../src/core/study.ts';
import { keywords } from '../../src/dicom/keywords.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { heatmapCapture } from '../../src/dicom/secondary-capture.ts';
import { structuredReport } from '../../src/dicom/sr.ts';
import { dicomSr } from '../../src/outputs/dicom-sr.ts';
import { heatmapSc } from '../../src/outputs/heatmap-sc.ts';
import { compose, readings, sourceFilm } from '../dicom/results.ts';
import { dcentvfy, dciodvfy, dcm2json, dsrdump, pixelmed, readSr, testWithValidators } from '../services/validators.ts';
import { makeImageHeader, settings } from '../support/readings.ts';

/** Independent tools read what we wrote. */

const folder = mkdtempSync(join(tmpdir(), 'cxr-outputs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const names = Object.keys(readings);
const withImages = names.filter((name) => readings[name]!.images.length > 0);
const path = (name: string, file: string): string => join(folder, name, file);
const heatmapsOf = (name: string): readonly string[] =>
  readings[name]!.images.map((_, index) => path(name, `heatmap-${index + 1}.dcm`));

for (const [name, reading] of Object.entries(readings)) {
  mkdirSync(join(folder, name));
  const artifacts = [dicomSr, heatmapSc].flatMap((output) => output.compose(compose(reading)));
  for (const { fileName, bytes } of artifacts) writeFileSync(path(name, fileName), bytes);
  writeFileSync(
    path(name, 'film.dcm'),
    writePart10(sourceFilm(reading, reading.images[0]?.image ?? makeImageHeader())),
  );
}

const maybe = testWithValidators();

/** Warnings that dciodvfy 2022 gives for what is right, or for what the source does not have. */
const knownNoise = [
  /ContributingEquipmentSequence.*DeviceUID.*not present in standard DICOM IOD/,
  /CodingSchemeDesignator.*Unrecognized defined term = <99SITE>/,
  /Missing attribute or value that would be needed to build DICOMDIR/,
];

maybe.each(names)('dciodvfy finds no error and no new warning in report and heat-maps of %s', (name) => {
  for (const file of [path(name, 'sr.dcm'), ...heatmapsOf(name)]) {
    const { errors, warnings } = dciodvfy(file);
    expect(errors).toEqual([]);
    expect(warnings.filter((warning) => !knownNoise.some((noise) => noise.test(warning)))).toEqual([]);
  }
});

maybe('dciodvfy sees a reference without evidence, because a judge that never convicts proves nothing', () => {
  const { [keywords.CurrentRequestedProcedureEvidenceSequence[0]]: _evidence, ...rest } = structuredReport(
    compose(readings['positive']!),
  );
  writeFileSync(join(folder, 'no-evidence.dcm'), writePart10(rest));
  expect(dciodvfy(join(folder, 'no-evidence.dcm')).errors).not.toEqual([]);
});

maybe.each(withImages)('dcentvfy finds patient and study of %s equal in film, heat-map and report', (name) => {
  const { errors, warnings } = dcentvfy(path(name, 'film.dcm'), ...heatmapsOf(name), path(name, 'sr.dcm'));
  expect(errors).toEqual([]);
  expect(
    warnings.filter((warning) => !warning.includes('Element=<AccessionNumber> IE <Series> versus <Study>')),
  ).toEqual([]);
});

maybe('dcentvfy sees another patient', () => {
  const { errors } = dcentvfy(path('positive', 'film.dcm'), path('cjk', 'sr.dcm'));
  expect(errors).not.toEqual([]);
});

maybe.each(names)('dsrdump accepts relationships and values of %s', (name) => {
  const { status, text, notes } = dsrdump(path(name, 'sr.dcm'));
  expect(status).toBe(0);
  expect(text).toContain('Imaging Measurement Report');
  expect(notes.replace(/W: The VR checker does not support this Specific Character Set: ISO_IR (192|144)\n/g, '')).toBe(
    '',
  );
});

maybe.each(names)('dcm2json reads from the files of %s what we composed', (name) => {
  const composition = compose(readings[name]!);
  expect(dcm2json(path(name, 'sr.dcm'))).toEqual(asJson(structuredReport(composition)));
  composition.reading.images.forEach((entry, index) => {
    const picture = composition.pictures[entry.image.SOPInstanceUID]!;
    const expected = heatmapCapture(entry, picture, index + 1, composition);
    expect(dcm2json(heatmapsOf(name)[index]!)).toEqual(asJson(expected));
  });
});

/** As dcm2json prints it: in UTF-8 whatever the file is in; bytes in base64, padded; floats with ten digits. */
function asJson(dataset: Dataset): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(dataset).map(([tag, attribute]) => [
      tag,
      tag === characterSetTag ? { vr: 'CS', Value: ['ISO_IR 192'] } : attributeAsJson(attribute),
    ]),
  );
}

const [characterSetTag] = keywords.SpecificCharacterSet;

function attributeAsJson({ vr, Value }: Attribute): unknown {
  if (Value === undefined) return { vr };
  const [first] = Value;
  if (first instanceof Uint8Array) {
    const padded = Buffer.alloc(first.length + (first.length % 2));
    padded.set(first);
    return { vr, InlineBinary: padded.toString('base64') };
  }
  if (vr === 'SQ') return { vr, Value: Value.map((item) => asJson(item as Dataset)) };
  return { vr, Value: vr === 'FL' ? Value.map((value) => Number((value as number).toPrecision(10))) : Value };
}

maybe(
  'PixelMed finds templates, context groups and relationships right, positive, negative, partial and failed',
  () => {
    const judged = ['two', 'negative', 'partial-negative', 'failed', 'nobody'];
    // What IHE AIR would rather read is outside PixelMed's context group: it must be seen to object.
    const specific = {
      ...readings['negative']!,
      settings: { ...settings, procedureReported: 'plainChestRadiograph' },
    } as const;
    const objectionable = join(folder, 'specific.dcm');
    writeFileSync(objectionable, writePart10(structuredReport(compose(specific))));
    const judgements = pixelmed([...judged.map((name) => path(name, 'sr.dcm')), objectionable]);
    expect(judgements[objectionable]).toMatchObject({ passed: false, errors: [expect.stringContaining('399208008')] });
    for (const name of judged) {
      const { errors, warnings, passed } = judgements[path(name, 'sr.dcm')]!;
      expect(errors).toEqual([]);
      expect(passed).toBe(true);
      // Evaluations are parameters of the template, and Algorithm Manufacturer came after 2022.
      const known = /\((112033|112027|122405),DCM,"[^"]+"\): Content Item not in template$/;
      expect(warnings.filter((warning) => !known.test(warning))).toEqual([]);
    }
  },
  600_000,
);

maybe('highdicom and pydicom find score, finding, algorithm, source and explanation', () => {
  const [positive, negative, two, failed] = readSr(
    ['positive', 'negative', 'two', 'failed'].map((name) => path(name, 'sr.dcm')),
  );
  const { identity, reading } = compose(readings['positive']!);
  const { image, region } = reading.images[0]!;
  const names = identity.images[image.SOPInstanceUID]!;
  expect(positive).toMatchObject({
    class: 'Comprehensive3DSR',
    title: '126000,DCM',
    patientId: 'PH-001',
    accessionNumber: 'ACC-001',
    equipment: { model: reading.model.name, deviceUid: reading.model.deviceUid },
  });
  expect(positive!.groups).toEqual([
    {
      trackingIdentifier: expect.stringContaining(image.SOPInstanceUID),
      trackingUid: names.trackingUid,
      finding: '112033,DCM',
      findingSites: ['39607008,SCT'],
      measurement: ['122157,DCM', 0.8731, '1,UCUM'],
      evaluations: { '111000,DCM': '123110,DCM', '112033,DCM': '52101004,SCT', '112027,DCM': '112147,DCM' },
      sources: [image.SOPInstanceUID],
      explanations: [names.heatmapSOPInstanceUID],
      algorithm: {
        name: [reading.model.name],
        version: [reading.model.version],
        manufacturer: [reading.model.manufacturer],
        parameters: expect.arrayContaining(['decision_threshold=0.5', `model_sha256=${reading.model.sha256}`]),
      },
      region: ['POLYLINE', region.flat().map(Math.fround)],
      regionOf: image.SOPInstanceUID,
    },
  ]);
  expect(positive!.evidence).toEqual([image.SOPInstanceUID, names.heatmapSOPInstanceUID].sort());
  expect(negative!.groups[0]).toMatchObject({ finding: null, evaluations: { '112033,DCM': '272519000,SCT' } });
  expect(two!.groups.map(({ measurement }) => measurement[1])).toEqual([0.8731, 0.2]);
  expect(failed!.groups).toEqual([]);
});

maybe(
  'pydicom reads the same names whatever they are written in, because not every archive knows UTF-8 (fault 47)',
  () => {
    const [cjk, latin, cyrillic] = readSr(['cjk', 'latin', 'cyrillic'].map((name) => path(name, 'sr.dcm')));
    expect([cjk!.characterSet, cjk!.patientName]).toEqual([
      'ISO_IR 192',
      ['Yamada^Tarou', '山田^太郎', 'やまだ^たろう'],
    ]);
    expect([latin!.characterSet, latin!.patientName]).toEqual(['ISO_IR 100', ['Müller^Jörg']]);
    expect([cyrillic!.characterSet, cyrillic!.patientName]).toEqual(['ISO_IR 144', ['Петров^Иван']]);
  },
);
