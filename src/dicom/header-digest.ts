import { sha256 } from '../core/ids.ts';
import type { Dataset } from '../core/study.ts';

/**
 * What an archive adds to the header of an image when it lists it, and may tell otherwise tomorrow (PS3.18 6.7.1.2.2): where and
 * how the object can be had, and what else its study holds. Our own results change the latter.
 */
const toldByTheArchive: ReadonlySet<string> = new Set([
  '00080054', // RetrieveAETitle
  '00080056', // InstanceAvailability
  '00080061', // ModalitiesInStudy
  '00080062', // SOPClassesInStudy
  '00081190', // RetrieveURL
  '00201200', // NumberOfPatientRelatedStudies
  '00201202', // NumberOfPatientRelatedSeries
  '00201204', // NumberOfPatientRelatedInstances
  '00201206', // NumberOfStudyRelatedSeries
  '00201208', // NumberOfStudyRelatedInstances
  '00201209', // NumberOfSeriesRelatedInstances
]);

/**
 * Digest of a listed header: another one says that the object was sent again as another, the same one that nothing is known to have
 * changed. Bulk data has no part in it, and neither has the order of the attributes.
 */
export function digestOfHeader(header: Dataset): string {
  const told = Object.entries(header).filter(([tag]) => !toldByTheArchive.has(tag));
  return sha256(JSON.stringify(told.sort(([a], [b]) => (a < b ? -1 : 1))));
}
