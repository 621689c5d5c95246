import { deviceUid, sha256 } from '../../src/core/ids.ts';
import type { Job, Recorded } from '../../src/core/ports.ts';
import type {
  ContentSettings,
  ImageHeader,
  ImageReading,
  ModelIdentity,
  Picture,
  Reading,
  StudyHeader,
} from '../../src/core/reading.ts';
import { concludeStudy, decide } from '../../src/core/reading.ts';

/** Plain objects for tests: each maker takes what matters to the test and fills in the rest. */

export const studyUid = '1.2.826.0.1.3680043.8.498.1';

const weights = sha256('weights of the tests');

export const model: ModelIdentity = {
  id: 'test-model',
  manufacturer: 'cxr-gateway project',
  name: 'ResNet-101 airspace opacity',
  version: '0.0.1-test',
  sha256: weights,
  precision: 'float32',
  deviceUid: deviceUid(weights),
  training: 'trained',
  preprocessing: 'resize 224x224 bicubic; stretch 1-99; normalize',
  intendedUse: 'Tests of the gateway.',
};

export const settings: ContentSettings = {
  operatingPoint: 0.5,
  heatmapMaxSide: 1024,
  flagSuspectedCovid: true,
  procedureReported: 'imagingProcedure',
  timezoneOffset: null,
};

export function makeStudyHeader(overrides: Partial<StudyHeader> = {}): StudyHeader {
  return {
    StudyInstanceUID: studyUid,
    PatientName: 'PHANTOM^CLEAR',
    PatientID: 'PH-001',
    IssuerOfPatientID: null,
    OtherPatientIDsSequence: [],
    PatientBirthDate: '19600229',
    PatientSex: 'F',
    PatientAge: '064Y',
    StudyDate: '20260314',
    StudyTime: '101500',
    TimezoneOffsetFromUTC: '+0100',
    StudyID: '7',
    AccessionNumber: 'ACC-001',
    StudyDescription: 'Chest PA',
    ReferringPhysicianName: 'REFERRER^ROSA',
    RequestedProcedureID: null,
    RequestedProcedureDescription: null,
    PlacerOrderNumberImagingServiceRequest: null,
    FillerOrderNumberImagingServiceRequest: null,
    RequestedProcedureCodeSequence: [],
    ProcedureCodeSequence: [],
    ...overrides,
  };
}

export function makeImageHeader(overrides: Partial<ImageHeader> = {}): ImageHeader {
  return {
    StudyInstanceUID: studyUid,
    SeriesInstanceUID: `${studyUid}.1`,
    SOPInstanceUID: `${studyUid}.1.1`,
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    Modality: 'DX',
    SeriesNumber: 1,
    InstanceNumber: 1,
    Rows: 2500,
    Columns: 2048,
    PatientOrientation: ['L', 'F'],
    PixelSpacing: null,
    ImagerPixelSpacing: [0.168, 0.168],
    AcquisitionDate: '20260314',
    AcquisitionTime: '101512',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    LossyImageCompressionRatio: [],
    LossyImageCompressionMethod: [],
    ...overrides,
  };
}

export function makeImageReading(overrides: Partial<ImageReading> = {}): ImageReading {
  const score = overrides.score ?? 0.8731;
  const decision = decide(score, settings.operatingPoint);
  const image = overrides.image ?? makeImageHeader();
  return {
    image,
    view: 'PA',
    score,
    decision,
    map: { columns: 7, rows: 7, values: Array.from({ length: 49 }, (_, index) => (index === 30 ? 2 : 0)) },
    region: [
      [0, 0],
      [image.Columns, 0],
      [image.Columns, image.Rows],
      [0, image.Rows],
      [0, 0],
    ],
    zone: decision === 'present' ? 'right-lower' : null,
    pixelDigest: sha256('pixels'),
    revision: 1,
    provider: { asked: 'cpu', used: 'cpu' },
    flags: [],
    ...overrides,
  };
}

export function makeReading(overrides: Partial<Reading> = {}): Reading {
  const images = overrides.images ?? [makeImageReading()];
  return {
    model,
    settings,
    study: makeStudyHeader(),
    images,
    failures: [],
    ...concludeStudy(images),
    readAt: '2026-03-14T09:20:00.000Z',
    revision: 1,
    predecessor: null,
    source: 'test',
    ...overrides,
  };
}

export function makePicture(columns = 64, rows = 80): Picture {
  return {
    columns,
    rows,
    rgb: new Uint8Array(columns * rows * 3).fill(40),
    jpeg: new Uint8Array([0xff, 0xd8, 0xff, 0xd9]),
  };
}

export function makeJob(overrides: Partial<Job> = {}): Job {
  return {
    number: 1,
    studyInstanceUid: studyUid,
    source: 'test',
    priority: 'routine',
    state: 'announced',
    code: null,
    attempt: 0,
    announcedAt: 0,
    dueAt: 0,
    updatedAt: 0,
    settling: null,
    partial: false,
    demand: null,
    ...overrides,
  };
}

export function makeRecorded(overrides: Partial<Recorded> = {}): Recorded {
  return { reading: makeReading(), artifacts: [], receipts: [], ...overrides };
}
