import { createHash, createHmac } from 'node:crypto';
import type { ContentSettings, ModelIdentity, Reading, TakenOver } from './reading.ts';

/**
 * Deterministic identities: a re-run, an upgrade or a second gateway makes the same object, nobody outside can guess it.
 * UID = `2.25.` + a UUIDv8 of an HMAC-SHA256 under the site secret (PS3.5 B.2, RFC 9562 5.8).
 */

/** A UID as PS3.5 9.1 allows it: at most 64 characters, digits and dots, no empty component. Leading zeros are read, never written. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^[0-9]+(\.[0-9]+)*$/.test(text);
}

/** UUIDv8 of the first 16 bytes of a digest, as 32 hex digits. */
function uuid8(digest: Uint8Array): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex');
}

const uidOf = (digest: Uint8Array): string => `2.25.${BigInt(`0x${uuid8(digest)}`)}`;

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** DeviceUID of a model: of its weights alone, and of how they are used where that changes scores; equal at every site. */
export function deviceUid(weights: string): string {
  return uidOf(createHash('sha256').update(`device\n${weights}`).digest());
}

/** Digest of the settings that change content; keys sorted. Another precision is another network: its device is one of them. */
export function settingsDigest(settings: ContentSettings, model: ModelIdentity): string {
  const network = model.precision === 'int8' ? { network: model.deviceUid } : {};
  const content = { ...settings, preprocessing: model.preprocessing, ...network };
  return sha256(JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Whether model and settings of a reading are these: reading the same pixels with them says the same again. */
export function isMadeWith(reading: Reading, model: ModelIdentity, settings: ContentSettings): boolean {
  const { id, sha256, deviceUid: device } = reading.model;
  const sameModel = id === model.id && sha256 === model.sha256 && device === model.deviceUid;
  return sameModel && settingsDigest(reading.settings, reading.model) === settingsDigest(settings, model);
}

/** All names that the artifacts of one reading carry. */
export interface ResultIdentity {
  readonly sr: { readonly SeriesInstanceUID: string; readonly SOPInstanceUID: string };
  readonly heatmapSeriesInstanceUID: string;
  /** By SOP Instance UID of the source image. */
  readonly images: Readonly<Record<string, ImageIdentity>>;
  /** FHIR ids (64 characters at most, never all digits). */
  readonly diagnosticReportId: string;
  readonly imagingStudyId: string;
  readonly provenanceId: string;
  readonly gatewayDeviceId: string;
  readonly modelDeviceId: string;
  /** UID of this gateway at this site, for its FHIR Device. */
  readonly gatewayDeviceUid: string;
}

export interface ImageIdentity {
  readonly heatmapSOPInstanceUID: string;
  readonly trackingUid: string;
  readonly observationId: string;
}

/** Keyed digest of named parts; a newline cannot stand in a UID, a digest or a model id, so that parts never run together. */
function keyed(siteSecret: string, parts: readonly string[]): Uint8Array {
  return createHmac('sha256', siteSecret).update(parts.join('\n')).digest();
}

/**
 * Identities of a reading. Series, tracking UIDs and FHIR ids outlive revisions, weights and settings; object UIDs do not. What
 * was taken over keeps the names that it was found under.
 */
export function identify(reading: Reading, siteSecret: string): ResultIdentity {
  const own = ownIdentity(reading, siteSecret);
  return reading.takenOver ? adopted(own, reading, reading.takenOver) : own;
}

function adopted(own: ResultIdentity, { images, revision }: Reading, found: TakenOver): ResultIdentity {
  const adopt = (uid: string, imageRevision: number): ImageIdentity => {
    const { heatmapSOPInstanceUID, trackingUid, revision } = found.images[uid] ?? {};
    const image = own.images[uid]!;
    return {
      ...image,
      ...(trackingUid && { trackingUid }),
      ...(heatmapSOPInstanceUID && revision === imageRevision && { heatmapSOPInstanceUID }),
    };
  };
  const { SeriesInstanceUID, SOPInstanceUID } = found.sr;
  return {
    ...own,
    sr: { SeriesInstanceUID, SOPInstanceUID: revision === found.revision ? SOPInstanceUID : own.sr.SOPInstanceUID },
    heatmapSeriesInstanceUID: found.heatmapSeriesInstanceUID ?? own.heatmapSeriesInstanceUID,
    images: Object.fromEntries(
      images.map(({ image: { SOPInstanceUID: uid }, revision }) => [uid, adopt(uid, revision)]),
    ),
    diagnosticReportId: found.diagnosticReportId ?? own.diagnosticReportId,
  };
}

function ownIdentity(reading: Reading, siteSecret: string): ResultIdentity {
  const { model, study } = reading;
  const sources = [...reading.images, ...reading.failures].map(sopInstanceUid).sort();
  const settings = settingsDigest(reading.settings, model);
  const uid = (kind: string, source: readonly string[], revision: number) =>
    uidOf(keyed(siteSecret, [kind, study.StudyInstanceUID, ...source, String(revision), model.sha256, settings]));
  const stable = (kind: string, ...parts: string[]) =>
    keyed(siteSecret, [kind, study.StudyInstanceUID, model.id, ...parts]);
  const id = (digest: Uint8Array) => `cxr-${uuid8(digest)}`;
  const images = reading.images.map(({ image: { SOPInstanceUID }, revision }): [string, ImageIdentity] => [
    SOPInstanceUID,
    {
      heatmapSOPInstanceUID: uid('heatmap', [SOPInstanceUID], revision),
      trackingUid: uidOf(stable('tracking', SOPInstanceUID)),
      observationId: id(stable('observation', SOPInstanceUID)),
    },
  ]);
  return {
    sr: { SeriesInstanceUID: uid('sr-series', [], 1), SOPInstanceUID: uid('sr', sources, reading.revision) },
    heatmapSeriesInstanceUID: uid('heatmap-series', [], 1),
    images: Object.fromEntries(images),
    diagnosticReportId: id(stable('report')),
    imagingStudyId: id(keyed(siteSecret, ['imaging-study', study.StudyInstanceUID])),
    provenanceId: id(stable('provenance')),
    gatewayDeviceId: id(keyed(siteSecret, ['gateway'])),
    modelDeviceId: id(keyed(siteSecret, ['model', model.deviceUid])),
    gatewayDeviceUid: uidOf(keyed(siteSecret, ['gateway'])),
  };
}

/** Names of the rejection note about these objects of a study; `targets` are SOP Instance UIDs. */
export function identifyNote(
  studyInstanceUid: string,
  targets: readonly string[],
  siteSecret: string,
): { readonly SeriesInstanceUID: string; readonly SOPInstanceUID: string } {
  return {
    SeriesInstanceUID: uidOf(keyed(siteSecret, ['rejection-note-series', studyInstanceUid])),
    SOPInstanceUID: uidOf(keyed(siteSecret, ['rejection-note', studyInstanceUid, ...[...targets].sort()])),
  };
}

function sopInstanceUid(entry: Reading['images'][number] | Reading['failures'][number]): string {
  return 'image' in entry ? entry.image.SOPInstanceUID : entry.SOPInstanceUID;
}
