import { sha256 } from '../../src/core/ids.ts';
import type { Artifact } from '../../src/core/ports.ts';
import type { Dataset } from '../../src/core/study.ts';
import { build } from '../../src/dicom/build.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { comprehensive3dSrStorage, secondaryCaptureImageStorage } from '../../src/dicom/sop-classes.ts';

/** Small objects of one study, as an archive would hold them or as we would send them. */

export const studyUid = '2.25.3001';
export const seriesUid = '2.25.3002';
export const filmUid = '2.25.3003';
export const crClass = '1.2.840.10008.5.1.4.1.1.1';

export interface ObjectPlan {
  readonly StudyInstanceUID?: string;
  readonly SeriesInstanceUID?: string;
  readonly SOPInstanceUID?: string;
  readonly SOPClassUID?: string;
  readonly Modality?: string;
  readonly PatientID?: string | null;
  readonly IssuerOfPatientID?: string;
  readonly StudyDate?: string;
}

export function makeHeader(plan: ObjectPlan = {}): Dataset {
  return build({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: crClass,
    SOPInstanceUID: filmUid,
    StudyDate: '20260314',
    StudyTime: '101500',
    AccessionNumber: null,
    Modality: 'CR',
    PatientName: 'Test^Film',
    PatientID: 'PH-7',
    PatientBirthDate: null,
    PatientSex: null,
    StudyInstanceUID: studyUid,
    SeriesInstanceUID: seriesUid,
    StudyID: null,
    SeriesNumber: 1,
    InstanceNumber: 1,
    ...plan,
  });
}

/** A film of `side` × `side` pixels. */
export function makeFile(plan: ObjectPlan = {}, side = 64): Uint8Array {
  const pixels = Uint8Array.from({ length: side * side }, (_, index) => (index * 31) % 251);
  const image = build({
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: side,
    Columns: side,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: pixels,
  });
  return writePart10(Object.assign(Object.create(null), makeHeader(plan), image));
}

export function makeArtifact(kind: 'sr' | 'heatmap', plan: ObjectPlan = {}): Artifact {
  const SOPInstanceUID = plan.SOPInstanceUID ?? (kind === 'sr' ? '2.25.4001' : '2.25.4002');
  const SOPClassUID = kind === 'sr' ? comprehensive3dSrStorage : secondaryCaptureImageStorage;
  const SeriesInstanceUID = kind === 'sr' ? '2.25.4003' : '2.25.4004';
  const Modality = kind === 'sr' ? 'SR' : 'OT';
  const own = { SOPInstanceUID, SOPClassUID, SeriesInstanceUID, Modality, ...plan };
  const bytes = kind === 'sr' ? writePart10(makeHeader(own)) : makeFile(own);
  return {
    kind,
    name: kind === 'sr' ? 'sr' : 'heatmap-1',
    fileName: kind === 'sr' ? 'sr.dcm' : 'heatmap-1.dcm',
    mediaType: 'application/dicom',
    id: SOPInstanceUID,
    SOPClassUID,
    bytes,
    sha256: sha256(bytes),
  };
}
