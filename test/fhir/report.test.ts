import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { Reading } from '../../src/core/reading.ts';
import { comment } from '../../src/core/wording.ts';
import type { ReportOptions } from '../../src/fhir/options.ts';
import { composeReport } from '../../src/fhir/report.ts';
import type {
  DiagnosticReport,
  ImagingStudy,
  Observation,
  ReportResource,
  TransactionBundle,
} from '../../src/fhir/types.ts';
import {
  makeImageHeader,
  makeImageReading,
  makeReading,
  makeStudyHeader,
  model,
  settings,
} from '../support/readings.ts';
import { accessions, compose, mrn, procedures, reportOptions } from './support.ts';

const bundleOf = (reading: Reading, options: Partial<ReportOptions> = {}): TransactionBundle =>
  composeReport(compose(reading), procedures, { ...reportOptions, ...options });

function all<R extends ReportResource>(bundle: TransactionBundle, type: R['resourceType']): readonly R[] {
  return bundle.entry
    .map(({ resource }) => resource)
    .filter((resource): resource is R => resource.resourceType === type);
}
const reportIn = (bundle: TransactionBundle) => all<DiagnosticReport>(bundle, 'DiagnosticReport')[0]!;
const studyIn = (bundle: TransactionBundle) => all<ImagingStudy>(bundle, 'ImagingStudy')[0]!;
const codesOf = (concepts: DiagnosticReport['conclusionCode'] = []) =>
  concepts.map(({ coding }) => `${coding?.[0]?.system} ${coding?.[0]?.code}`);

const negative = makeReading({ images: [makeImageReading({ score: 0.12 })] });
const failure = {
  StudyInstanceUID: makeStudyHeader().StudyInstanceUID,
  SeriesInstanceUID: '1.2.3.4',
  SOPInstanceUID: '1.2.3.4.5',
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
  failure: { code: 'truncated', detail: '' },
} as const;
const failed = makeReading({ images: [], failures: [failure] });

test('the same reading gives the same bytes, because a retry must change no version', () => {
  expect(JSON.stringify(bundleOf(makeReading()))).toBe(JSON.stringify(bundleOf(makeReading())));
});

test('every literal reference leads to an entry of the bundle or to a contained resource', () => {
  for (const reading of [makeReading(), failed]) {
    const bundle = bundleOf(reading);
    const known = new Set(bundle.entry.map(({ resource }) => `${resource.resourceType}/${resource.id}`));
    const references = [...JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)].map((match) => match[1]!);
    expect(references.length).toBeGreaterThan(8);
    expect(references.filter((reference) => !reference.startsWith('#') && !known.has(reference))).toEqual([]);
  }
});

test('a positive flags suspected COVID-19 beside the finding, because the product exists to raise that flag', () => {
  const report = reportIn(bundleOf(makeReading()));
  expect(codesOf(report.conclusionCode)).toEqual([
    'http://dicom.nema.org/resources/ontology/DCM 112033',
    'http://snomed.info/sct 840544004',
  ]);
  const quiet = makeReading({ settings: { ...settings, flagSuspectedCovid: false } });
  expect(codesOf(reportIn(bundleOf(quiet)).conclusionCode)).toEqual([
    'http://dicom.nema.org/resources/ontology/DCM 112033',
  ]);
});

test('a negative has no conclusion code, because a clear film does not rule COVID-19 out', () => {
  const report = reportIn(bundleOf(negative));
  expect(report).not.toHaveProperty('conclusionCode');
  expect(report.conclusion).toContain('does not rule out COVID-19');
});

test.each([makeReading(), negative, failed])('confirmed COVID-19 is never written', (reading) => {
  expect(JSON.stringify(bundleOf(reading))).not.toContain('840539006');
});

test('the report is preliminary and says the sentence of the SR, because all artifacts must agree', () => {
  const report = reportIn(bundleOf(makeReading()));
  expect(report.status).toBe('preliminary');
  expect(report.conclusion).toBe(comment(makeReading()));
});

test('the observation carries score, operating point and decision of its image', () => {
  const [observation] = all<Observation>(bundleOf(makeReading()), 'Observation');
  expect(observation?.valueCodeableConcept?.coding?.[0]?.code).toBe('52101004');
  expect(observation?.interpretation[0]?.coding?.[0]?.code).toBe('POS');
  expect(observation?.component?.[0]).toMatchObject({
    code: { coding: [{ code: '122157' }] },
    valueQuantity: { value: 0.8731, code: '1' },
    referenceRange: [{ high: { value: 0.5 } }],
  });
});

test('a study without any score says undetermined with a reason and names its images, because silence is not negative', () => {
  const bundle = bundleOf(failed);
  const [observation] = all<Observation>(bundle, 'Observation');
  expect(observation?.dataAbsentReason?.coding?.[0]?.code).toBe('error');
  expect(observation).not.toHaveProperty('valueCodeableConcept');
  expect(observation?.interpretation[0]?.coding?.[0]?.code).toBe('IND');
  const report = reportIn(bundle);
  expect(report.result).toEqual([{ reference: `Observation/${observation?.id}` }]);
  expect(report).not.toHaveProperty('conclusionCode');
  expect(report.text.div).toContain('1.2.3.4.5 was not read: truncated');
  expect(report.conclusion).toContain('not a negative result');
  expect(studyIn(bundle).series[0]).toMatchObject({ uid: '1.2.3.4', modality: { code: 'CR' } });
});

test('an image that failed beside one that was read is named, because the reader must know what was not looked at', () => {
  const report = reportIn(bundleOf(makeReading({ failures: [failure] })));
  expect(report.conclusion).toContain('1 of 2 images were read.');
  expect(report.text.div).toContain('1.2.3.4.5 was not read: truncated');
  expect(Buffer.from(report.presentedForm[0]!.data, 'base64').toString()).toContain(
    '1.2.3.4.5 was not read: truncated',
  );
});

test('an untrained model is named as such on every result, because its numbers mean nothing', () => {
  const bundle = bundleOf(makeReading({ model: { ...model, training: 'untrained' } }));
  const results = [...all<Observation>(bundle, 'Observation'), reportIn(bundle)];
  expect(results.map(({ meta }) => meta.tag?.map(({ code }) => code))).toEqual([
    ['ai-output-not-reviewed', 'untrained-model'],
    ['ai-output-not-reviewed', 'untrained-model'],
  ]);
  expect(reportIn(bundle).conclusion).toMatch(/^UNTRAINED MODEL/);
  expect(reportIn(bundle).text.div).toContain('UNTRAINED MODEL');
  expect(results[0]).toMatchObject({ note: [{ text: expect.stringMatching(/^UNTRAINED MODEL/) }, {}, {}, {}] });
});

test('each Observation says what ran the network, and what should have, because the two may differ by a last digit', () => {
  const provider = { asked: 'webgpu', used: 'cpu' } as const;
  const bundle = bundleOf(makeReading({ images: [makeImageReading({ provider })] }));
  const [observation] = all<Observation>(bundle, 'Observation');
  const notes = observation?.note?.map(({ text }) => text).join(' ');
  expect(notes).toContain('The network ran on cpu; webgpu was asked for and could not be used.');
});

test('the security label stands only where the site wants it, because strict R4 servers refuse it', () => {
  expect(reportIn(bundleOf(makeReading())).meta).not.toHaveProperty('security');
  expect(reportIn(bundleOf(makeReading(), { aiSecurityLabel: true })).meta.security).toEqual([
    expect.objectContaining({ code: 'AIAST' }),
  ]);
});

test('patient and order are named by identifier, because what the EHR owns is looked up at delivery', () => {
  const { subject, basedOn } = reportIn(bundleOf(makeReading()));
  expect(subject).toMatchObject({
    type: 'Patient',
    identifier: { system: mrn, value: 'PH-001' },
    display: 'CLEAR PHANTOM',
  });
  expect(subject).not.toHaveProperty('reference');
  expect(basedOn).toMatchObject([{ type: 'ServiceRequest', identifier: { system: accessions, value: 'ACC-001' } }]);
});

test.each([
  ['NORTH', 'http://north.test/mrn'],
  ['SOUTH', undefined],
  ['__proto__', undefined],
])('the issuer %s gives the system %s, because the same number of two hospitals is two patients', (issuer, system) => {
  const reading = makeReading({ study: makeStudyHeader({ IssuerOfPatientID: issuer }) });
  const { identifier } = reportIn(bundleOf(reading)).subject;
  expect(identifier?.system).toBe(system);
  expect(identifier?.assigner).toEqual({ display: issuer });
});

test('a patient without identifier is contained, with every group of the name, because nothing else names him', () => {
  const study = makeStudyHeader({ PatientID: null, PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' });
  const bundle = bundleOf(makeReading({ study }));
  for (const resource of [reportIn(bundle), studyIn(bundle), ...all<Observation>(bundle, 'Observation')]) {
    expect(resource.subject.reference).toBe('#patient');
    expect(resource.contained?.[0]).toMatchObject({
      birthDate: '1960-02-29',
      gender: 'female',
      name: [{}, { text: '山田 太郎' }, {}],
    });
  }
});

test('a film that names nobody still has a subject, because ImagingStudy asks for one', () => {
  const study = makeStudyHeader({ PatientID: null, PatientName: null, PatientBirthDate: null, PatientSex: null });
  expect(studyIn(bundleOf(makeReading({ study }))).subject).toEqual({
    type: 'Patient',
    display: 'Patient not named in the image',
  });
});

test('a study time without zone becomes a date, and a site zone makes it an instant, because zones are never guessed', () => {
  const study = makeStudyHeader({ TimezoneOffsetFromUTC: null });
  expect(reportIn(bundleOf(makeReading({ study }))).effectiveDateTime).toBe('2026-03-14');
  const sited = makeReading({ study, settings: { ...settings, timezoneOffset: '-0500' } });
  expect(reportIn(bundleOf(sited)).effectiveDateTime).toBe('2026-03-14T10:15:00-05:00');
  const undated = makeStudyHeader({ StudyDate: null, StudyTime: null });
  const image = makeImageHeader({ AcquisitionDate: null });
  const timeless = makeReading({ study: undated, images: [makeImageReading({ image })] });
  expect(reportIn(bundleOf(timeless))).not.toHaveProperty('effectiveDateTime');
});

test('the page comes with its true size and hash, because an EHR checks them', () => {
  const [form] = reportIn(bundleOf(makeReading())).presentedForm;
  const bytes = Buffer.from(form!.data, 'base64');
  expect(form?.size).toBe(bytes.length);
  expect(form?.hash).toBe(createHash('sha1').update(bytes).digest('base64'));
});

test('there is an Endpoint only where the archive can be reached, because a dead link helps nobody', () => {
  const without = bundleOf(makeReading(), { wadoRoot: null });
  expect(all(without, 'Endpoint')).toEqual([]);
  expect(studyIn(without)).not.toHaveProperty('endpoint');
});
