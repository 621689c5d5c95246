import type { GatewayIdentity } from '../core/ports.ts';
import type { ModelIdentity } from '../core/reading.ts';
import type { Dataset, Instance, InstanceReference } from '../core/study.ts';
import { items, number, text, texts } from './dataset.ts';
import { comprehensive3dSrStorage } from './sop-classes.ts';

/** The Structured Reports of this model among the objects of a study, by their headers alone. Pure. */

export interface Marks {
  readonly gateway: GatewayIdentity;
  readonly model: ModelIdentity;
}

export interface OwnReport {
  readonly instance: Instance;
  readonly reference: InstanceReference;
  /** InstanceNumber of the report; 1 at first. */
  readonly revision: number;
  readonly predecessor: InstanceReference | null;
}

/** Newest first: none of them comes after one that names it as its predecessor. */
export function ownReports(instances: readonly Instance[], marks: Marks): readonly OwnReport[] {
  const reports = instances.flatMap((instance) => ownReport(instance, marks));
  const superseded = new Set(reports.map(({ predecessor }) => predecessor?.SOPInstanceUID));
  const isOld = ({ reference }: OwnReport): number => (superseded.has(reference.SOPInstanceUID) ? 1 : 0);
  return reports.sort((a, b) => isOld(a) - isOld(b) || b.revision - a.revision);
}

function ownReport(instance: Instance, { gateway, model }: Marks): OwnReport[] {
  const { header } = instance;
  if (!header || text(header, 'SOPClassUID') !== comprehensive3dSrStorage) return [];
  const made = text(header, 'Manufacturer') === gateway.manufacturer;
  const product = text(header, 'ManufacturerModelName') === gateway.modelName;
  // The author is the algorithm too: an archive may keep one of the two sequences from its metadata.
  const algorithms = [...items(header, 'ContributingEquipmentSequence'), ...items(header, 'AuthorObserverSequence')];
  const isModel = algorithms.some((item) => texts(item, 'DeviceUID').includes(model.deviceUid));
  const reference = referenceOf(header);
  if (!made || !product || !isModel || !reference) return [];
  const [predecessor = null] = hierarchicalInstances(header, 'PredecessorDocumentsSequence');
  return [{ instance, reference, revision: revisionOf(header), predecessor }];
}

function revisionOf(header: Dataset): number {
  const revision = number(header, 'InstanceNumber') ?? 1;
  return Number.isInteger(revision) && revision >= 1 && revision < 1000 ? revision : 1;
}

function referenceOf(header: Dataset): InstanceReference | null {
  const [StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID] = (
    ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'] as const
  ).map((keyword) => text(header, keyword));
  if (!StudyInstanceUID || !SeriesInstanceUID || !SOPInstanceUID || !SOPClassUID) return null;
  return { StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID };
}

/** Instances of a Hierarchical SOP Instance Reference (PS3.3 table C.17-3). */
export function hierarchicalInstances(
  header: Dataset,
  keyword: 'PredecessorDocumentsSequence' | 'CurrentRequestedProcedureEvidenceSequence',
): readonly InstanceReference[] {
  return items(header, keyword).flatMap((study) =>
    items(study, 'ReferencedSeriesSequence').flatMap((series) =>
      items(series, 'ReferencedSOPSequence').flatMap((reference) => {
        const StudyInstanceUID = text(study, 'StudyInstanceUID');
        const SeriesInstanceUID = text(series, 'SeriesInstanceUID');
        const SOPInstanceUID = text(reference, 'ReferencedSOPInstanceUID');
        const SOPClassUID = text(reference, 'ReferencedSOPClassUID');
        return StudyInstanceUID && SeriesInstanceUID && SOPInstanceUID && SOPClassUID
          ? [{ StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID }]
          : [];
      }),
    ),
  );
}
