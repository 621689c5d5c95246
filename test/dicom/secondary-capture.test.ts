import type { ImageHeader } from '../../src/core/reading.ts';
import type { Dataset } from '../../src/core/study.ts';
import { findingSentence, reviewNotice, untrainedNotice } from '../../src/core/wording.ts';
import { build } from '../../src/dicom/build.ts';
import { patientAndStudy } from '../../src/dicom/result-header.ts';
import { heatmapCapture } from '../../src/dicom/secondary-capture.ts';
import { structuredReport } from '../../src/dicom/sr.ts';
import { makeImageHeader, makeImageReading, makeReading, model, settings } from '../support/readings.ts';
import { compose, itemsOf, readings, sourceFilm, valueAt } from './results.ts';

function capture(reading = readings['positive']!): Dataset {
  const composition = compose(reading);
  const entry = reading.images[0]!;
  return heatmapCapture(entry, composition.pictures[entry.image.SOPInstanceUID]!, 1, composition);
}

const captureOf = (header: Partial<ImageHeader>): Dataset =>
  capture(makeReading({ images: [makeImageReading({ image: makeImageHeader(header) })] }));

test('a heat-map cannot be taken for a film: modality OT, DERIVED\\SECONDARY, own series', () => {
  const sc = capture();
  expect(valueAt(sc, 'Modality')).toBe('OT');
  expect(sc['00080008']?.Value).toEqual(['DERIVED', 'SECONDARY']);
  expect(valueAt(sc, 'SeriesNumber')).toBe(9902);
  expect(valueAt(sc, 'SeriesDescription')).toBe('AI airspace opacity heat-map (unreviewed)');
  expect(valueAt(sc, 'Manufacturer')).toBe('cxr-gateway');
  expect(valueAt(sc, 'ConversionType')).toBe('WSD');
  for (const keyword of ['PresentationIntentType', 'PixelSpacing', 'ImagerPixelSpacing'] as const) {
    expect(valueAt(sc, keyword)).toBeUndefined();
  }
});

test('the pixels are the picture: RGB, 8 bit, interleaved', () => {
  const sc = capture();
  expect([valueAt(sc, 'Rows'), valueAt(sc, 'Columns'), valueAt(sc, 'SamplesPerPixel')]).toEqual([77, 63, 3]);
  expect(valueAt(sc, 'PhotometricInterpretation')).toBe('RGB');
  expect(valueAt(sc, 'PlanarConfiguration')).toBe(0);
  expect([valueAt(sc, 'BitsAllocated'), valueAt(sc, 'BitsStored'), valueAt(sc, 'HighBit')]).toEqual([8, 8, 7]);
  expect((valueAt(sc, 'PixelData') as Uint8Array).length).toBe(63 * 77 * 3);
});

test('it refers to its source, whose locations it does not keep', () => {
  const sc = capture();
  const { image } = readings['positive']!.images[0]!;
  expect(valueAt(sc, 'SourceImageSequence', 0, 'ReferencedSOPInstanceUID')).toBe(image.SOPInstanceUID);
  expect(valueAt(sc, 'SourceImageSequence', 0, 'ReferencedSOPClassUID')).toBe(image.SOPClassUID);
  expect(valueAt(sc, 'SourceImageSequence', 0, 'SpatialLocationsPreserved')).toBe('NO');
  expect(valueAt(sc, 'SourceImageSequence', 0, 'PurposeOfReferenceCodeSequence', 0, 'CodeValue')).toBe('121322');
  expect(valueAt(sc, 'ReferencedSeriesSequence', 0, 'SeriesInstanceUID')).toBe(image.SeriesInstanceUID);
  const referenced = itemsOf(itemsOf(sc, 'ReferencedSeriesSequence')[0]!, 'ReferencedInstanceSequence');
  expect(referenced.map((item) => valueAt(item, 'ReferencedSOPInstanceUID'))).toEqual([image.SOPInstanceUID]);
});

test('the derivation is coded and told: Grad-CAM, resampled, and the sentence of the result', () => {
  const sc = capture();
  const codes = itemsOf(sc, 'DerivationCodeSequence').map((item) => valueAt(item, 'CodeValue'));
  expect(codes).toEqual(['130403', '113085']);
  const text = valueAt(sc, 'DerivationDescription');
  expect(text).toContain(findingSentence('present', settings));
  expect(text).toContain(model.name);
  expect(text).toContain(reviewNotice);
});

test('an untrained model says so first', () => {
  const sc = capture(makeReading({ model: { ...model, training: 'untrained' } }));
  expect(valueAt(sc, 'DerivationDescription')).toMatch(new RegExp(`^${untrainedNotice}`));
});

test('the description fits into ST with the longest names, because a fault here would stop a study', () => {
  const long = { ...model, name: 'n'.repeat(64), version: 'v'.repeat(64), training: 'untrained' as const };
  const text = valueAt(capture(makeReading({ model: long })), 'DerivationDescription') as string;
  expect(text.length).toBeLessThanOrEqual(1024);
});

test('lossy once is lossy for ever, with ratio and method where the source has them', () => {
  const sc = capture(readings['lossy']!);
  expect(valueAt(sc, 'LossyImageCompression')).toBe('01');
  expect(valueAt(sc, 'LossyImageCompressionRatio')).toBe(12.3456789012346);
  expect(valueAt(sc, 'LossyImageCompressionMethod')).toBe('ISO_10918_1');
  const bare = captureOf({ LossyImageCompression: '01' });
  expect(valueAt(bare, 'LossyImageCompression')).toBe('01');
  expect(bare['00282112']).toBeUndefined();
});

test('a lossless source is 00, and for a silent one nothing is claimed', () => {
  expect(valueAt(captureOf({ LossyImageCompression: '00' }), 'LossyImageCompression')).toBe('00');
  expect(captureOf({ LossyImageCompression: null })['00282110']).toBeUndefined();
});

test('burned-in identity follows the source, and for a silent one nothing is claimed (fault 91)', () => {
  expect(valueAt(captureOf({ BurnedInAnnotation: 'YES' }), 'BurnedInAnnotation')).toBe('YES');
  expect(valueAt(captureOf({ BurnedInAnnotation: 'NO' }), 'BurnedInAnnotation')).toBe('NO');
  expect(captureOf({ BurnedInAnnotation: null })['00280301']).toBeUndefined();
});

test('orientation is that of the hung film, the source’s where it cannot be hung, empty where it has none (type 2C)', () => {
  for (const source of ['LF', 'RF', 'HL'])
    expect(captureOf({ PatientOrientation: [source[0]!, source[1]!] })['00200020']?.Value).toEqual(['L', 'F']);
  expect(captureOf({ PatientOrientation: ['P', 'F'] })['00200020']?.Value).toEqual(['P', 'F']);
  expect(captureOf({ PatientOrientation: null })['00200020']).toEqual({ vr: 'CS' });
});

test('the model stands in ContributingEquipmentSequence as in the report', () => {
  const sc = capture();
  expect(valueAt(sc, 'ContributingEquipmentSequence', 0, 'ManufacturerModelName')).toBe(model.name);
  expect(valueAt(sc, 'ContributingEquipmentSequence', 0, 'SoftwareVersions')).toBe(model.version);
  expect(valueAt(sc, 'ContributingEquipmentSequence', 0, 'DeviceUID')).toBe(model.deviceUid);
});

test.each(Object.keys(readings).filter((name) => name !== 'failed'))(
  'patient and study of %s are the same in heat-map, report and source, because no validator compares accession numbers',
  (name) => {
    const reading = readings[name]!;
    const tags = Object.keys(build(patientAndStudy(reading.study)));
    const part = (dataset: Dataset) => tags.map((tag) => [tag, dataset[tag]]);
    expect(tags).toContain('00080050');
    expect(part(capture(reading))).toEqual(part(structuredReport(compose(reading))));
    expect(part(capture(reading))).toEqual(part(sourceFilm(reading)));
  },
);
