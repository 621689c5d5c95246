import { readFileSync } from 'node:fs';
import { identify } from '../../src/core/ids.ts';
import type { Artifact, Composition, GatewayIdentity } from '../../src/core/ports.ts';
import type { ImageFailure, Reading, StudyHeader } from '../../src/core/reading.ts';
import type { Dataset } from '../../src/core/study.ts';
import { build } from '../../src/dicom/build.ts';
import { type Keyword, keywords } from '../../src/dicom/keywords.ts';
import { gatewayName, patientAndStudy } from '../../src/dicom/result-header.ts';
import { parseCodes } from '../../src/outputs/codes.ts';
import { dicomSr } from '../../src/outputs/dicom-sr.ts';
import { heatmapSc } from '../../src/outputs/heatmap-sc.ts';
import {
  makeImageHeader,
  makeImageReading,
  makePicture,
  makeReading,
  makeStudyHeader,
  studyUid,
} from '../support/readings.ts';

/** Compositions of every kind of result, and a small reader of the data sets that come out. */

export const codes = parseCodes(
  JSON.parse(readFileSync(new URL('../../mappings/codes.json', import.meta.url), 'utf8')),
);

export const gateway: GatewayIdentity = { manufacturer: gatewayName, modelName: gatewayName, softwareVersion: '0.1.0' };

export function compose(reading: Reading, { withPictures = true, secret = 'secret of the tests' } = {}): Composition {
  // An odd number of bytes, so that padding is in every test.
  const pictures = reading.images.map(({ image }) => [image.SOPInstanceUID, makePicture(63, 77)] as const);
  return {
    reading,
    identity: identify(reading, secret),
    pictures: withPictures ? Object.fromEntries(pictures) : {},
    codes,
    gateway,
  };
}

export const secondImage = makeImageHeader({ SOPInstanceUID: `${studyUid}.1.2`, InstanceNumber: 2 });

export const region = [
  [300.5, 400.25],
  [900, 420],
  [880.1, 1200],
  [300.5, 400.25],
] as const;

export const failedImage: ImageFailure = {
  StudyInstanceUID: studyUid,
  SeriesInstanceUID: `${studyUid}.1`,
  SOPInstanceUID: `${studyUid}.1.9`,
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
  failure: { code: 'truncated', detail: 'PixelData' },
};

const order: Partial<StudyHeader> = {
  IssuerOfPatientID: 'HOSPITAL_A',
  RequestedProcedureID: 'RP-1',
  RequestedProcedureDescription: 'Chest PA',
  PlacerOrderNumberImagingServiceRequest: 'PLACER-1',
  FillerOrderNumberImagingServiceRequest: 'FILLER-1',
  RequestedProcedureCodeSequence: [{ CodeValue: 'XCH1', CodingSchemeDesignator: '99SITE', CodeMeaning: 'Chest PA' }],
  ProcedureCodeSequence: [
    { CodeValue: '399208008', CodingSchemeDesignator: 'SCT', CodeMeaning: 'Plain X-ray of chest' },
  ],
};

const nobody = Object.fromEntries(
  Object.entries(makeStudyHeader()).map(([keyword, value]) => [
    keyword,
    keyword === 'StudyInstanceUID' ? value : Array.isArray(value) ? [] : null,
  ]),
) as unknown as StudyHeader;

const bareImage = makeImageHeader({
  Modality: 'CR',
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
  PatientOrientation: null,
  ImagerPixelSpacing: null,
  AcquisitionDate: null,
  AcquisitionTime: null,
  BurnedInAnnotation: null,
  LossyImageCompression: null,
});

const positiveImage = makeImageReading({ region });
const negativeImage = makeImageReading({ score: 0.1234567890123456 });

/** Every kind of result that a study can end in. */
export const readings: Readonly<Record<string, Reading>> = {
  positive: makeReading({ images: [positiveImage], study: makeStudyHeader(order) }),
  negative: makeReading({ images: [negativeImage] }),
  two: makeReading({ images: [positiveImage, makeImageReading({ image: secondImage, score: 0.2, view: 'AP' })] }),
  partial: makeReading({ images: [positiveImage], failures: [failedImage] }),
  'partial-negative': makeReading({ images: [negativeImage], failures: [failedImage] }),
  failed: makeReading({ images: [], failures: [failedImage] }),
  revised: makeReading({
    images: [positiveImage],
    revision: 2,
    predecessor: {
      StudyInstanceUID: studyUid,
      SeriesInstanceUID: '2.25.1',
      SOPInstanceUID: '2.25.2',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
    },
  }),
  cjk: makeReading({
    images: [positiveImage],
    study: makeStudyHeader({
      PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
      StudyDescription: '胸部正面、立位',
      ReferringPhysicianName: 'Müller^Jörg',
      OtherPatientIDsSequence: [build({ PatientID: 'ПАЦИЕНТ-7', TypeOfPatientID: 'TEXT' })],
    }),
  }),
  // In the character sets of their films, where a site wants that.
  latin: makeReading({
    images: [positiveImage],
    study: makeStudyHeader({
      SpecificCharacterSet: 'ISO_IR 100',
      PatientName: 'Müller^Jörg',
      StudyDescription: 'Thorax p.-a. à 2 m',
      OtherPatientIDsSequence: [build({ PatientID: 'ÅÄÖ-7', TypeOfPatientID: 'TEXT' })],
    }),
  }),
  cyrillic: makeReading({
    images: [negativeImage],
    study: makeStudyHeader({ SpecificCharacterSet: 'ISO_IR 144', PatientName: 'Петров^Иван' }),
  }),
  nobody: makeReading({ images: [makeImageReading({ image: bareImage, view: 'frontal' })], study: nobody }),
  lossy: makeReading({
    images: [
      makeImageReading({
        image: makeImageHeader({
          BurnedInAnnotation: 'YES',
          LossyImageCompression: '01',
          LossyImageCompressionRatio: [12.345678901234567],
          LossyImageCompressionMethod: ['ISO_10918_1'],
        }),
      }),
    ],
  }),
};

/** A synthetic film of the study, for validators that compare results with their source. */
export function sourceFilm({ study }: Reading, image = makeImageHeader()): Dataset {
  const bits = { BitsAllocated: 16, BitsStored: 12, HighBit: 11, PixelRepresentation: 0 };
  return build({
    ...patientAndStudy(study),
    ...(study.TimezoneOffsetFromUTC === null ? {} : { TimezoneOffsetFromUTC: study.TimezoneOffsetFromUTC }),
    SOPClassUID: image.SOPClassUID,
    SOPInstanceUID: image.SOPInstanceUID,
    SeriesInstanceUID: image.SeriesInstanceUID,
    Modality: image.Modality,
    PresentationIntentType: 'FOR PRESENTATION',
    Manufacturer: 'Phantom Works',
    SeriesNumber: image.SeriesNumber,
    InstanceNumber: image.InstanceNumber,
    ImageType: ['ORIGINAL', 'PRIMARY'],
    BodyPartExamined: 'CHEST',
    PatientOrientation: image.PatientOrientation,
    AcquisitionDate: image.AcquisitionDate ?? undefined,
    AcquisitionTime: image.AcquisitionTime ?? undefined,
    ContentDate: image.AcquisitionDate,
    ContentTime: image.AcquisitionTime,
    BurnedInAnnotation: image.BurnedInAnnotation ?? undefined,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: 4,
    Columns: 5,
    ...bits,
    PixelData: new Uint8Array(40),
  });
}

/** First value of an attribute on a path of keywords and item numbers: `valueAt(sr, 'ContributingEquipmentSequence', 0, 'Manufacturer')`. */
export function valueAt(dataset: Dataset, ...path: readonly (Keyword | number)[]): unknown {
  let at: unknown = dataset;
  for (const step of path) {
    at = typeof step === 'number' ? (at as readonly unknown[])[step] : (at as Dataset)[keywords[step][0]]?.Value;
    if (at === undefined) return undefined;
  }
  return Array.isArray(at) && typeof path.at(-1) === 'string' ? at[0] : at;
}

export function itemsOf(dataset: Dataset, keyword: Keyword): readonly Dataset[] {
  return (dataset[keywords[keyword][0]]?.Value ?? []) as readonly Dataset[];
}

/** A content item in one line: `CONTAINS CODE 112033 = 52101004`. */
export function describeItem(item: Dataset): string {
  const concept = valueAt(item, 'ConceptNameCodeSequence', 0, 'CodeValue') ?? '-';
  const type = valueAt(item, 'ValueType');
  const values = [
    valueAt(item, 'ConceptCodeSequence', 0, 'CodeValue'),
    valueAt(item, 'TextValue'),
    valueAt(item, 'UID'),
    valueAt(item, 'Date'),
    valueAt(item, 'Time'),
    valueAt(item, 'MeasuredValueSequence', 0, 'NumericValue'),
    valueAt(item, 'GraphicType'),
    valueAt(item, 'ReferencedSOPSequence', 0, 'ReferencedSOPInstanceUID'),
  ].filter((value) => value !== undefined);
  return [valueAt(item, 'RelationshipType'), type, concept, ...(values.length > 0 ? ['=', ...values] : [])].join(' ');
}

/** The first item of the whole tree whose concept has this code value. */
export function findItem(root: Dataset, codeValue: string): Dataset | undefined {
  return allItems(root).find((item) => valueAt(item, 'ConceptNameCodeSequence', 0, 'CodeValue') === codeValue);
}

export function allItems(root: Dataset): readonly Dataset[] {
  return itemsOf(root, 'ContentSequence').flatMap((item) => [item, ...allItems(item)]);
}

/** Report and heat-maps of a reading as they go to an archive. */
export function artifactsOf(reading: Reading, secret?: string): readonly Artifact[] {
  const composition = compose(reading, { secret });
  return [dicomSr, heatmapSc].flatMap((output) => output.compose(composition));
}
