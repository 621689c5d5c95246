import type { Reading } from '../../src/core/reading.ts';
import type { Dataset } from '../../src/core/study.ts';
import { structuredReport } from '../../src/dicom/sr.ts';
import { makeReading, makeStudyHeader, settings } from '../support/readings.ts';
import { allItems, compose, findItem, itemsOf, readings, valueAt } from './results.ts';

/** What stands above the tree: equipment, order, evidence, time, revision. */

const report = (reading: Reading): Dataset => structuredReport(compose(reading));
const textOf = (dataset: Dataset, code: string) => valueAt(findItem(dataset, code)!, 'TextValue');

test.each(['positive', 'negative', 'two', 'partial', 'failed'])(
  'equipment, observer, author and algorithm of %s agree, because IHE AIR table 6.5.3.1-1 wants it and nobody checks',
  (name) => {
    const sr = report(readings[name]!);
    const observer = {
      manufacturer: textOf(sr, '121014'),
      model: textOf(sr, '121015'),
      device: valueAt(findItem(sr, '121012')!, 'UID'),
    };
    for (const sequence of ['ContributingEquipmentSequence', 'AuthorObserverSequence'] as const) {
      expect(itemsOf(sr, sequence).length).toBe(1);
      expect({
        manufacturer: valueAt(sr, sequence, 0, 'Manufacturer'),
        model: valueAt(sr, sequence, 0, 'ManufacturerModelName'),
        device: valueAt(sr, sequence, 0, 'DeviceUID'),
      }).toEqual(observer);
    }
    expect(valueAt(sr, 'ContributingEquipmentSequence', 0, 'PurposeOfReferenceCodeSequence', 0, 'CodeValue')).toBe(
      '109102',
    );
    const groups = allItems(sr).filter((item) => valueAt(item, 'ConceptNameCodeSequence', 0, 'CodeValue') === '125007');
    for (const group of groups) {
      expect(textOf(group, '111001')).toBe(observer.model);
      expect(textOf(group, '111003')).toBe(valueAt(sr, 'ContributingEquipmentSequence', 0, 'SoftwareVersions'));
      expect(textOf(group, '122405')).toBe(observer.manufacturer);
    }
  },
);

test('General Equipment is the gateway and not the model, because the gateway is the Evidence Creator', () => {
  const sr = report(readings['positive']!);
  expect(valueAt(sr, 'Manufacturer')).toBe('cxr-gateway');
  expect(valueAt(sr, 'ManufacturerModelName')).toBe('cxr-gateway');
  expect(valueAt(sr, 'SeriesNumber')).toBe(9901);
  expect(valueAt(sr, 'SeriesDescription')).toBe('AI airspace opacity SR (unreviewed)');
});

test('nothing is claimed to be reviewed: complete, unverified, preliminary', () => {
  const sr = report(readings['positive']!);
  expect(valueAt(sr, 'CompletionFlag')).toBe('COMPLETE');
  expect(valueAt(sr, 'VerificationFlag')).toBe('UNVERIFIED');
  expect(valueAt(sr, 'PreliminaryFlag')).toBe('PRELIMINARY');
});

test.each(Object.keys(readings))(
  'the evidence of %s lists every instance that the tree refers to, and what failed',
  (name) => {
    const sr = report(readings[name]!);
    const listed = itemsOf(sr, 'CurrentRequestedProcedureEvidenceSequence')
      .flatMap((study) => itemsOf(study, 'ReferencedSeriesSequence'))
      .flatMap((series) => itemsOf(series, 'ReferencedSOPSequence'))
      .map((instance) => valueAt(instance, 'ReferencedSOPInstanceUID'));
    const referred = allItems(sr).flatMap(
      (item) => valueAt(item, 'ReferencedSOPSequence', 0, 'ReferencedSOPInstanceUID') ?? [],
    );
    const failed = readings[name]!.failures.map(({ SOPInstanceUID }) => SOPInstanceUID);
    expect(new Set(listed)).toEqual(new Set([...referred, ...failed]));
    expect(new Set(listed).size).toBe(listed.length);
  },
);

test('the accession number of study and order is the one of the source, because no validator compares them', () => {
  const sr = report(readings['positive']!);
  expect(valueAt(sr, 'AccessionNumber')).toBe('ACC-001');
  expect(valueAt(sr, 'ReferencedRequestSequence', 0, 'AccessionNumber')).toBe('ACC-001');
  expect(valueAt(sr, 'ReferencedRequestSequence', 0, 'PlacerOrderNumberImagingServiceRequest')).toBe('PLACER-1');
  expect(valueAt(sr, 'PerformedProcedureCodeSequence', 0, 'CodeValue')).toBe('399208008');
});

describe('content date and time', () => {
  const at = (readAt: string, source: string | null, site: string | null) => {
    const study = makeStudyHeader({ TimezoneOffsetFromUTC: source });
    const sr = report(makeReading({ readAt, study, settings: { ...settings, timezoneOffset: site } }));
    return [valueAt(sr, 'ContentDate'), valueAt(sr, 'ContentTime'), valueAt(sr, 'TimezoneOffsetFromUTC') ?? null];
  };

  test('stand in the zone of the source, because the copied dates do', () => {
    expect(at('2026-03-14T23:30:00.250Z', '+0100', '-0500')).toEqual(['20260315', '003000.250', '+0100']);
    expect(at('2026-03-01T00:15:00.000Z', '-0330', null)).toEqual(['20260228', '204500.000', '-0330']);
  });

  test('else in the zone of the site, which is then written', () => {
    expect(at('2026-03-14T23:30:00.000Z', null, '+0545')).toEqual(['20260315', '051500.000', '+0545']);
  });

  test('else in UTC with no zone written, because the offset would move the copied study time', () => {
    expect(at('2026-03-14T23:30:00.000Z', null, null)).toEqual(['20260314', '233000.000', null]);
  });
});

test('a revision refers to the report that it follows and counts up', () => {
  const sr = report(readings['revised']!);
  const study = itemsOf(sr, 'PredecessorDocumentsSequence')[0]!;
  expect(valueAt(study, 'ReferencedSeriesSequence', 0, 'SeriesInstanceUID')).toBe('2.25.1');
  expect(valueAt(study, 'ReferencedSeriesSequence', 0, 'ReferencedSOPSequence', 0, 'ReferencedSOPInstanceUID')).toBe(
    '2.25.2',
  );
  expect(valueAt(sr, 'InstanceNumber')).toBe(2);
  expect(report(readings['positive']!)['0040A360']).toBeUndefined();
});
