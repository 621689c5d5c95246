import { sha256 } from '../core/ids.ts';
import type { Codes } from '../core/ports.ts';
import type { ImageReading, Reading } from '../core/reading.ts';
import type { Code, InstanceReference } from '../core/study.ts';
import { coding, concept, sopClass, sourceConcept, systems } from './coding.ts';
import { toDateTime } from './datetime.ts';
import { toHumanNames } from './names.ts';
import type { IdentifierOptions } from './options.ts';
import { sourceProcedures } from './procedures.ts';
import {
  accessionIdentifier,
  orderReference,
  referenceTo,
  resultIdentifier,
  subjectOf,
  uidIdentifier,
} from './references.ts';
import type { Contained, Endpoint, ImagingStudy, ImagingStudySeries, Reference } from './types.ts';

/** Where the pictures of a study are, for an EHR that wants to open them. */
export function endpoint(wadoRoot: string, { study }: Codes): Endpoint {
  const id = `cxr-${sha256(`endpoint\n${wadoRoot}`).slice(0, 32)}`;
  return {
    resourceType: 'Endpoint',
    id,
    identifier: [resultIdentifier(id)],
    status: 'active',
    connectionType: { system: systems.endpointConnection, code: 'dicom-wado-rs', display: 'DICOM WADO-RS' },
    name: 'Archive of the images (DICOMweb)',
    payloadType: [concept(study)],
    payloadMimeType: ['application/dicom'],
    address: wadoRoot,
  };
}

/** An image of the study with what its series needs. */
interface Listed extends InstanceReference {
  readonly modality: Code;
  readonly SeriesNumber: number | null;
  readonly InstanceNumber: number | null;
}

/**
 * The study as far as the gateway saw it: the series and instances of the films, read or failed. numberOfSeries and
 * numberOfInstances are left out, since the archive may hold more.
 */
export function imagingStudy(
  reading: Reading,
  id: string,
  codes: Codes,
  options: IdentifierOptions,
  archive: Endpoint | null,
): ImagingStudy {
  const { study } = reading;
  const { subject, contained = [] } = subjectOf(study, options);
  const referrer = referrerOf(study.ReferringPhysicianName);
  const inside = [...contained, ...(referrer ? [referrer.practitioner] : [])];
  const accession = accessionIdentifier(study, options);
  const series = seriesOf(listed(reading, codes), codes);
  const modality = distinct(series.map((entry) => entry.modality));
  const started = toDateTime(study.StudyDate, study.StudyTime, zoneOf(reading));
  const basedOn = orderReference(study, options);
  const procedures = sourceProcedures(study);
  return {
    resourceType: 'ImagingStudy',
    id,
    ...(inside.length > 0 ? { contained: inside } : {}),
    identifier: [uidIdentifier(study.StudyInstanceUID), resultIdentifier(id), ...(accession ? [accession] : [])],
    status: 'available',
    ...(modality.length > 0 ? { modality } : {}),
    subject,
    ...(started ? { started } : {}),
    ...(basedOn.length > 0 ? { basedOn } : {}),
    ...(referrer ? { referrer: referrer.reference } : {}),
    ...(archive ? { endpoint: [referenceTo(archive)] } : {}),
    ...(procedures.length > 0 ? { procedureCode: procedures.map(sourceConcept) } : {}),
    ...(study.StudyDescription ? { description: study.StudyDescription } : {}),
    series,
  };
}

/** Zone of the source's dates: its own, else the site's. */
export const zoneOf = ({ study, settings }: Reading): string | null =>
  study.TimezoneOffsetFromUTC ?? settings.timezoneOffset;

/** When the image was taken: its acquisition, else its study. */
export function takenAt({ image }: ImageReading, reading: Reading): string | null {
  const zone = zoneOf(reading);
  const { StudyDate, StudyTime } = reading.study;
  return toDateTime(image.AcquisitionDate, image.AcquisitionTime, zone) ?? toDateTime(StudyDate, StudyTime, zone);
}

function referrerOf(personName: string | null): { practitioner: Contained; reference: Reference } | null {
  const name = toHumanNames(personName);
  if (name.length === 0) return null;
  return {
    practitioner: { resourceType: 'Practitioner', id: 'referrer', name },
    reference: { reference: '#referrer', type: 'Practitioner' },
  };
}

/** SOP classes whose modality is certain without the header. */
const modalityOfSopClass: Readonly<Record<string, 'computedRadiography' | 'digitalRadiography'>> = {
  '1.2.840.10008.5.1.4.1.1.1': 'computedRadiography',
  '1.2.840.10008.5.1.4.1.1.1.1': 'digitalRadiography',
};

function listed({ images, failures }: Reading, codes: Codes): readonly Listed[] {
  const read = images.map(({ image }) => ({
    ...image,
    modality: image.Modality === 'CR' ? codes.computedRadiography : codes.digitalRadiography,
  }));
  const failed = failures.flatMap((failure) => {
    const name = modalityOfSopClass[failure.SOPClassUID];
    return name ? [{ ...failure, modality: codes[name], SeriesNumber: null, InstanceNumber: null }] : [];
  });
  return [...read, ...failed];
}

function seriesOf(instances: readonly Listed[], { chest }: Codes): readonly ImagingStudySeries[] {
  const bySeries = Map.groupBy(instances, ({ SeriesInstanceUID }) => SeriesInstanceUID);
  return [...bySeries].map(([uid, [first, ...rest]]) => ({
    uid,
    ...unsigned(first!.SeriesNumber),
    modality: coding(first!.modality),
    bodySite: coding(chest),
    instance: [first!, ...rest].map(({ SOPInstanceUID, SOPClassUID, InstanceNumber }) => ({
      uid: SOPInstanceUID,
      sopClass: sopClass(SOPClassUID),
      ...unsigned(InstanceNumber),
    })),
  }));
}

/** FHIR's unsignedInt; IS of DICOM may be negative, which then has no place here. */
const unsigned = (value: number | null): { readonly number?: number } =>
  value !== null && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647 ? { number: value } : {};

function distinct<T extends { readonly code?: string }>(codings: readonly T[]): readonly T[] {
  return [...new Map(codings.map((entry) => [entry.code, entry])).values()];
}
