import { identify } from '../core/ids.ts';
import type { Chosen, Described } from '../core/ports.ts';
import {
  concludeStudy,
  type ImageFailure,
  type ImageReading,
  type Reading,
  type TakenOver,
  toScore,
  unseenPixels,
  type View,
} from '../core/reading.ts';
import type { FoundImage, FoundReport, FoundResult } from '../core/take-over.ts';
import type { World } from './world.ts';

/**
 * The reading that a found report tells of, or null when none of its images is in the study any more. Pure. What no report
 * says (maps, outlines, pixel digests) is empty: a revision that follows looks at the films itself.
 */
export function foundReading(
  { model, settings, describe, archive, siteSecret }: World,
  chosen: readonly Chosen[],
  found: FoundResult,
  report: FoundReport | null,
): Reading | null {
  const listed = new Map(chosen.flatMap((entry) => listedFilm(entry, describe)));
  const images = found.images.flatMap((image) => imageReading(image, listed.get(image.SOPInstanceUID)));
  const failures = found.failures.flatMap(({ SOPInstanceUID, code }): ImageFailure[] => {
    const film = listed.get(SOPInstanceUID)?.image;
    if (!film) return [];
    const { StudyInstanceUID, SeriesInstanceUID, SOPClassUID } = film;
    return [{ StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID, failure: { code, detail: '' } }];
  });
  const [first] = [...images.map(({ image }) => image), ...failures];
  const study = first && listed.get(first.SOPInstanceUID)?.study;
  if (!study) return null;
  const reading: Reading = {
    model,
    settings: { ...settings, operatingPoint: found.operatingPoint ?? settings.operatingPoint },
    study: { ...study, ...found.patient },
    images,
    failures,
    ...concludeStudy(images),
    readAt: found.readAt,
    revision: found.revision,
    predecessor: found.predecessor,
    source: archive.name,
  };
  const names = namesOf(found, report, reading, siteSecret);
  const revised = images.map((image) => ({ ...image, revision: names.images[image.image.SOPInstanceUID]!.revision }));
  return { ...reading, images: revised, takenOver: names };
}

/** Whether this gateway would have given the report the UID that it has. */
export function isUnderOwnSecret(
  { takenOver: _, ...reading }: Reading,
  found: FoundResult,
  siteSecret: string,
): boolean {
  return identify(reading, siteSecret).sr.SOPInstanceUID === found.sr.SOPInstanceUID;
}

type Listed = Described & { readonly view: View };

/** A film whose header cannot be described is no film of a report. */
function listedFilm({ instance, choice }: Chosen, describe: World['describe']): [string, Listed][] {
  if (!instance.header || (choice.outcome !== 'eligible' && choice.code === 'own-output')) return [];
  try {
    const described = describe(instance.header);
    const view = choice.outcome === 'eligible' ? choice.view : 'frontal';
    return [[described.image.SOPInstanceUID, { ...described, view }]];
  } catch {
    return [];
  }
}

function imageReading({ score, decision }: FoundImage, film: Listed | undefined): ImageReading[] {
  if (!film) return [];
  return [
    {
      image: film.image,
      view: film.view,
      score: toScore(score),
      decision,
      map: { columns: 0, rows: 0, values: [] },
      region: [],
      zone: null,
      pixelDigest: unseenPixels,
      revision: 1,
      provider: { asked: 'cpu', used: 'cpu' },
      flags: ['taken-over'],
    },
  ];
}

function namesOf(found: FoundResult, report: FoundReport | null, reading: Reading, siteSecret: string): TakenOver {
  const names = found.images.map(
    ({ SOPInstanceUID: uid, heatmap, trackingUid }): [string, TakenOver['images'][string]] => {
      const heatmapSOPInstanceUID = heatmap?.SOPInstanceUID ?? null;
      return [
        uid,
        { heatmapSOPInstanceUID, trackingUid, revision: revisionOf(uid, heatmapSOPInstanceUID, reading, siteSecret) },
      ];
    },
  );
  return {
    sr: found.sr,
    revision: found.revision,
    heatmapSeriesInstanceUID: found.images.find(({ heatmap }) => heatmap)?.heatmap?.SeriesInstanceUID ?? null,
    images: Object.fromEntries(names),
    diagnosticReportId: report?.diagnosticReportId ?? null,
  };
}

/** Revision of an image, as its heat-map's UID tells it under the own secret; under another one it starts anew. */
function revisionOf(uid: string, heatmap: string | null, reading: Reading, siteSecret: string): number {
  for (let revision = 1; revision <= reading.revision; revision++) {
    const images = reading.images.map((image) => ({ ...image, revision }));
    if (identify({ ...reading, images }, siteSecret).images[uid]?.heatmapSOPInstanceUID === heatmap) return revision;
  }
  return 1;
}
