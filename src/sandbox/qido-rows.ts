import type { Attribute, Dataset } from '../core/study.ts';
import { text } from '../dicom/dataset.ts';
import { type Keyword, keywords } from '../dicom/keywords.ts';
import type { StoredObject } from './archive-store.ts';

/** What QIDO-RS can be asked for, one row a study, series or instance (PS3.18 10.6.3). */

export type Level = 'study' | 'series' | 'instance';

export interface Row {
  /** Everything that may be matched or included. */
  readonly full: Dataset;
  /** Tags that stand in an answer without being asked for (PS3.18 tables 10.6.3-3 to 10.6.3-5). */
  readonly level: Level;
}

const studyKeywords: readonly Keyword[] = [
  'SpecificCharacterSet',
  'StudyDate',
  'StudyTime',
  'AccessionNumber',
  'InstanceAvailability',
  'ModalitiesInStudy',
  'ReferringPhysicianName',
  'TimezoneOffsetFromUTC',
  'RetrieveURL',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyInstanceUID',
  'StudyID',
  'NumberOfStudyRelatedSeries',
  'NumberOfStudyRelatedInstances',
];
const seriesKeywords: readonly Keyword[] = [
  'SpecificCharacterSet',
  'Modality',
  'SeriesDescription',
  'RetrieveURL',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'SeriesNumber',
  'RequestAttributesSequence',
];
const instanceKeywords: readonly Keyword[] = [
  'SpecificCharacterSet',
  'SOPClassUID',
  'SOPInstanceUID',
  'InstanceAvailability',
  'RetrieveURL',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'InstanceNumber',
  'Rows',
  'Columns',
  'BitsAllocated',
  'NumberOfFrames',
];

const tagsOf = (names: readonly Keyword[]): readonly string[] => names.map((name) => keywords[name][0]);

/** NumberOfSeriesRelatedInstances: the one attribute here that the gateway has no use for. */
const seriesInstances = '00201209';

export const defaultTags: Readonly<Record<Level, readonly string[]>> = {
  study: tagsOf(studyKeywords),
  series: [...tagsOf(seriesKeywords), seriesInstances],
  instance: tagsOf(instanceKeywords),
};

/** Rows of one level over some objects; each takes its values from its first object. */
export function rowsOf(level: Level, objects: readonly StoredObject[], root: string): readonly Row[] {
  const key = (object: StoredObject) =>
    ({ study: object.StudyInstanceUID, series: object.SeriesInstanceUID, instance: object.SOPInstanceUID })[level];
  const groups = Map.groupBy(objects, key);
  return [...groups.values()].map((group) => ({
    level,
    full: { ...group[0]!.header, ...computed(level, group, root) },
  }));
}

function computed(level: Level, group: readonly StoredObject[], root: string): Dataset {
  const [first] = group;
  const study = `${root}/studies/${first!.StudyInstanceUID}`;
  const series = `${study}/series/${first!.SeriesInstanceUID}`;
  const attribute = (name: Keyword, ...Value: unknown[]): [string, Attribute] => {
    const [tag, vr] = keywords[name];
    return [tag, { vr, Value }];
  };
  const online = attribute('InstanceAvailability', 'ONLINE');
  if (level === 'instance') {
    const url = `${series}/instances/${first!.SOPInstanceUID}`;
    return Object.fromEntries([online, attribute('RetrieveURL', url)]);
  }
  if (level === 'series') {
    const count: [string, Attribute] = [seriesInstances, { vr: 'IS', Value: [group.length] }];
    return Object.fromEntries([online, attribute('RetrieveURL', series), count]);
  }
  const modalities = new Set(group.flatMap(({ header }) => text(header, 'Modality') ?? []));
  return Object.fromEntries([
    online,
    attribute('RetrieveURL', study),
    attribute('ModalitiesInStudy', ...[...modalities].sort()),
    attribute('NumberOfStudyRelatedSeries', new Set(group.map((object) => object.SeriesInstanceUID)).size),
    attribute('NumberOfStudyRelatedInstances', group.length),
  ]);
}
