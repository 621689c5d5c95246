import type { Code } from '../core/study.ts';
import { type Attributes, build, codeItem } from '../dicom/build.ts';
import { encodeFrame } from '../dicom/encode.ts';
import { writePart10 } from '../dicom/part10-writer.ts';
import { explicitLittleEndian } from '../dicom/transfer-syntax.ts';
import { drawPhantom, type PhantomKind } from './phantom.ts';
import { detector } from './phantom-space.ts';

/** Phantom films as a digital X-ray unit would send them: DX Image Storage – For Presentation (PS3.3 A.26). */

export interface FilmPatient {
  /** `alphabetic=ideographic=phonetic`. */
  readonly PatientName: string;
  readonly PatientID: string;
  readonly IssuerOfPatientID: string;
  readonly PatientBirthDate: string;
  readonly PatientSex: 'F' | 'M' | 'O';
}

export interface FilmStudy {
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly SOPInstanceUID: string;
  readonly AccessionNumber: string;
  readonly StudyID: string;
  /** YYYYMMDD */
  readonly StudyDate: string;
  /** HHMMSS */
  readonly StudyTime: string;
  readonly PlacerOrderNumber: string;
}

export interface FilmRequest {
  readonly kind: PhantomKind;
  readonly seed: number;
  readonly patient: FilmPatient;
  readonly study: FilmStudy;
  /** Explicit VR Little Endian (default), JPEG-LS Lossless or JPEG 2000 Lossless. */
  readonly transferSyntaxUID?: string;
  readonly photometricInterpretation?: 'MONOCHROME1' | 'MONOCHROME2';
  /** Attributes that stand in place of the film's own; `undefined` leaves one out. */
  readonly overrides?: Attributes;
}

export const digitalXRayForPresentation = '1.2.840.10008.5.1.4.1.1.1.1';

const bitsStored = 12;
const fullScale = 2 ** bitsStored - 1;

/** A film as a PS3.10 file. Equal requests give equal bytes. */
export async function makeFilm(request: FilmRequest): Promise<Uint8Array> {
  const { columns, rows, values } = drawPhantom(request.kind, request.seed);
  const inverted = request.photometricInterpretation === 'MONOCHROME1';
  const stored = inverted ? values.map((value) => fullScale - value) : values;
  const transferSyntaxUid = request.transferSyntaxUID ?? explicitLittleEndian;
  const PixelData = await encodeFrame(transferSyntaxUid, { columns, rows, bitsStored, values: stored });
  const attributes = {
    ...identity(request),
    ...acquisition(request),
    ...imagePixels(columns, rows, inverted),
    PixelData,
    ...request.overrides,
  };
  return writePart10(build(attributes), transferSyntaxUid);
}

function identity({ patient, study }: FilmRequest): Attributes {
  const { PlacerOrderNumber, ...uids } = study;
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    ...patient,
    PatientAge: ageAt(patient.PatientBirthDate, study.StudyDate),
    ...uids,
    SOPClassUID: digitalXRayForPresentation,
    ReferringPhysicianName: 'SANDBOX^REFERRING',
    StudyDescription: 'Chest radiograph (synthetic)',
    RequestAttributesSequence: [
      build({
        RequestedProcedureID: study.StudyID,
        RequestedProcedureDescription: 'Chest radiograph (synthetic)',
        AccessionNumber: study.AccessionNumber,
      }),
    ],
    PlacerOrderNumberImagingServiceRequest: PlacerOrderNumber,
    Modality: 'DX',
    PresentationIntentType: 'FOR PRESENTATION',
    SeriesNumber: 1,
    InstanceNumber: 1,
    SeriesDate: study.StudyDate,
    SeriesTime: study.StudyTime,
    AcquisitionDate: study.StudyDate,
    AcquisitionTime: study.StudyTime,
    ContentDate: study.StudyDate,
    ContentTime: study.StudyTime,
    Manufacturer: 'Sandbox Film Maker',
    ManufacturerModelName: 'Procedural phantom',
    InstitutionName: 'Sandbox Hospital',
    StationName: 'SANDBOX',
    SoftwareVersions: '1',
  };
}

/** Full years as AS; both dates YYYYMMDD. */
function ageAt(birth: string, date: string): string {
  const years = Number(date.slice(0, 4)) - Number(birth.slice(0, 4)) - (date.slice(4) < birth.slice(4) ? 1 : 0);
  return `${String(years).padStart(3, '0')}Y`;
}

const sct = (CodeValue: string, CodeMeaning: string): Code => ({
  CodeValue,
  CodingSchemeDesignator: 'SCT',
  CodeMeaning,
});

/** By kind: view, its code (CID 4010), which way rows and columns run, how the series is called. */
const projections = {
  frontal: { position: 'PA', view: sct('272479007', 'postero-anterior'), orientation: ['L', 'F'], series: 'Chest PA' },
  lateral: { position: 'LL', view: sct('399173006', 'left lateral'), orientation: ['P', 'F'], series: 'Chest lateral' },
} as const;

function acquisition({ kind }: FilmRequest): Attributes {
  const { position, view, orientation, series } = projections[kind === 'lateral' ? 'lateral' : 'frontal'];
  return {
    ImageType: ['ORIGINAL', 'PRIMARY'],
    SeriesDescription: series,
    ProtocolName: series,
    BodyPartExamined: 'CHEST',
    AnatomicRegionSequence: [codeItem(sct('816094009', 'Chest'))],
    ImageLaterality: 'U',
    ViewPosition: position,
    ViewCodeSequence: [build({ ...codeOf(view), ViewModifierCodeSequence: [] })],
    PatientOrientation: orientation,
    AcquisitionContextSequence: [],
    KVP: 120,
    DistanceSourceToDetector: 1800,
    PositionerType: 'NONE',
    DetectorType: 'SCINTILLATOR',
    Grid: 'FOCUSED',
  };
}

const codeOf = ({ CodeValue, CodingSchemeDesignator, CodeMeaning }: Code): Attributes => ({
  CodeValue,
  CodingSchemeDesignator,
  CodeMeaning,
});

function imagePixels(columns: number, rows: number, inverted: boolean): Attributes {
  const pitch = Math.round((detector.width * 10 * 1e4) / columns) / 1e4;
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: inverted ? 'MONOCHROME1' : 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: bitsStored,
    HighBit: bitsStored - 1,
    PixelRepresentation: 0,
    ImagerPixelSpacing: [pitch, pitch],
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    PixelIntensityRelationship: 'LOG',
    // −1: a bright pixel (MONOCHROME2) met few X-rays (PS3.3 C.8.11.3.1.2).
    PixelIntensityRelationshipSign: inverted ? 1 : -1,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    RescaleType: 'US',
    WindowCenter: (fullScale + 1) / 2,
    WindowWidth: fullScale + 1,
    WindowCenterWidthExplanation: 'FULL RANGE',
    VOILUTFunction: 'LINEAR',
    PresentationLUTShape: inverted ? 'INVERSE' : 'IDENTITY',
  };
}
