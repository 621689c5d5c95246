import type { Codes, GatewayIdentity } from '../core/ports.ts';
import type { ContentSettings, ModelIdentity, Reading, StudyHeader } from '../core/reading.ts';
import type { Code, Dataset, InstanceReference } from '../core/study.ts';
import { type Attributes, build, codeItem } from './build.ts';
import { sopReference } from './content-item.ts';

/** What the Structured Report and the heat-map share: patient, study, equipment, times, references. */

/**
 * Fixed marks of our objects, so that a router can match them. The numbers lie outside what modalities give out;
 * Manufacturer and ManufacturerModelName come from the GatewayIdentity.
 */
export const resultSeries = {
  sr: { Modality: 'SR', SeriesNumber: 9901, SeriesDescription: 'AI airspace opacity SR (unreviewed)' },
  heatmap: { Modality: 'OT', SeriesNumber: 9902, SeriesDescription: 'AI airspace opacity heat-map (unreviewed)' },
  rejectionNote: { Modality: 'KO', SeriesNumber: 9903, SeriesDescription: 'AI airspace opacity results withdrawn' },
} as const;

/** Manufacturer and ManufacturerModelName of the product in every object that it writes. */
export const gatewayName = 'cxr-gateway';

/** Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2): type 2 empty, type 3 left out, where the source has nothing. */
export function patientAndStudy(study: StudyHeader): Attributes {
  return {
    // `writePart10` takes UTF-8 when a text does not fit into another one.
    SpecificCharacterSet: study.SpecificCharacterSet ?? 'ISO_IR 192',
    PatientName: study.PatientName,
    PatientID: study.PatientID,
    IssuerOfPatientID: study.IssuerOfPatientID ?? undefined,
    OtherPatientIDsSequence: someOf(study.OtherPatientIDsSequence),
    PatientBirthDate: study.PatientBirthDate,
    PatientSex: study.PatientSex,
    PatientAge: study.PatientAge ?? undefined,
    StudyInstanceUID: study.StudyInstanceUID,
    StudyDate: study.StudyDate,
    StudyTime: study.StudyTime,
    ReferringPhysicianName: study.ReferringPhysicianName,
    StudyID: study.StudyID,
    AccessionNumber: study.AccessionNumber,
    StudyDescription: study.StudyDescription ?? undefined,
    ProcedureCodeSequence: someOf(study.ProcedureCodeSequence.map(codeItem)),
  };
}

/** General Equipment: the product that wrote the object, not the model (IHE AIR: the Evidence Creator). */
export function equipment({ manufacturer, modelName, softwareVersion }: GatewayIdentity): Attributes {
  return { Manufacturer: manufacturer, ManufacturerModelName: modelName, SoftwareVersions: softwareVersion };
}

/** The model by the names that IHE AIR table 6.5.3.1-1 wants equal wherever an object says which algorithm it was. */
export interface Algorithm {
  readonly Manufacturer: string;
  readonly ManufacturerModelName: string;
  readonly SoftwareVersions: string;
  readonly DeviceUID: string;
}

export function algorithmOf({ manufacturer, name, version, deviceUid }: ModelIdentity): Algorithm {
  return {
    Manufacturer: manufacturer,
    ManufacturerModelName: name,
    SoftwareVersions: version,
    DeviceUID: deviceUid,
  };
}

/** ContributingEquipmentSequence (PS3.3 C.12.1.1.5; IHE AIR 6.5.3.1). */
export function contributingEquipment(model: ModelIdentity, codes: Codes): readonly Dataset[] {
  const PurposeOfReferenceCodeSequence = [codeItem(codes.processingEquipment)];
  return [build({ PurposeOfReferenceCodeSequence, ...algorithmOf(model) })];
}

interface Moment extends Pick<Reading, 'readAt' | 'study'> {
  readonly settings: Pick<ContentSettings, 'timezoneOffset'>;
}

/**
 * Content and creation date and time, when the inference began, in the zone of the source, else of the site, else UTC.
 * TimezoneOffsetFromUTC is written only where source or site tell it: it governs the copied dates and times too.
 */
export function times({ readAt, study, settings }: Moment): Attributes {
  const zone = study.TimezoneOffsetFromUTC ?? settings.timezoneOffset;
  const { date, time } = localTime(readAt, zone ?? '+0000');
  return {
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    ContentDate: date,
    ContentTime: time,
    TimezoneOffsetFromUTC: zone ?? undefined,
  };
}

/** DA and TM of an RFC 3339 instant at an offset `+HHMM`. */
export function localTime(instant: string, offset: string): { readonly date: string; readonly time: string } {
  const sign = offset.startsWith('-') ? -1 : 1;
  const offsetMinutes = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3, 5)));
  const local = new Date(Date.parse(instant) + offsetMinutes * 60_000).toISOString();
  const [date = '', time = ''] = local.slice(0, -1).split('T');
  return { date: date.replaceAll('-', ''), time: time.replaceAll(':', '') };
}

/** Instances by study and series (PS3.3 table C.17-3, the Hierarchical SOP Instance Reference Macro). */
export function hierarchicalReferences(instances: readonly InstanceReference[]): readonly Dataset[] {
  return [...Map.groupBy(instances, ({ StudyInstanceUID }) => StudyInstanceUID)].map(([StudyInstanceUID, inStudy]) =>
    build({
      StudyInstanceUID,
      ReferencedSeriesSequence: [...Map.groupBy(inStudy, ({ SeriesInstanceUID }) => SeriesInstanceUID)].map(
        ([SeriesInstanceUID, inSeries]) =>
          build({ SeriesInstanceUID, ReferencedSOPSequence: inSeries.map(sopReference) }),
      ),
    }),
  );
}

/** The order that the study answers (PS3.3 C.17.2.1); nothing without an accession number. */
export function referencedRequest(study: StudyHeader): readonly Dataset[] | undefined {
  if (study.AccessionNumber === null) return undefined;
  return [
    build({
      StudyInstanceUID: study.StudyInstanceUID,
      ReferencedStudySequence: [],
      AccessionNumber: study.AccessionNumber,
      PlacerOrderNumberImagingServiceRequest: study.PlacerOrderNumberImagingServiceRequest,
      FillerOrderNumberImagingServiceRequest: study.FillerOrderNumberImagingServiceRequest,
      RequestedProcedureID: study.RequestedProcedureID,
      RequestedProcedureDescription: study.RequestedProcedureDescription,
      RequestedProcedureCodeSequence: codeItems(study.RequestedProcedureCodeSequence),
    }),
  ];
}

export const codeItems = (codes: readonly Code[]): readonly Dataset[] => codes.map(codeItem);

const someOf = (items: readonly Dataset[]): readonly Dataset[] | undefined => (items.length > 0 ? items : undefined);
