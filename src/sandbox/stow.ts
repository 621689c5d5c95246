import type { Attribute, Dataset } from '../core/study.ts';
import { type Keyword, keywords } from '../dicom/keywords.ts';
import { type ObjectStore, readObject, type StoredObject } from './archive-store.ts';
import type { Part } from './multipart.ts';

/** Store Instances (PS3.18 10.5). */

/** Processing failure (PS3.18 table I.2-2), what Orthanc answers for an object of another study. */
const wrongStudy = 272;
/** "Cannot understand", Cxxx (PS3.18 table I.2-2). */
const cannotUnderstand = 0xc000;

export interface StoreAnswer {
  /** 200 all stored, 202 some, 409 none (PS3.18 table 10.5.3-1). */
  readonly status: 200 | 202 | 409;
  readonly body: Dataset;
}

/**
 * Stores the parts that can be read. A UID that is there already counts as stored and keeps its old bytes.
 * @param studyInstanceUid of the URL, null when it names none
 */
export function storeParts(
  parts: readonly Part[],
  store: ObjectStore,
  root: string,
  studyInstanceUid: string | null,
): StoreAnswer {
  const objects = parts.map(({ bytes }) => readObject(bytes));
  const belongs = (object: StoredObject) => studyInstanceUid === null || object.StudyInstanceUID === studyInstanceUid;
  const read = objects.filter((object) => object !== null);
  const stored = read.filter(belongs);
  for (const object of stored) store.add(object);
  const refused = read.filter((object) => !belongs(object)).map((object) => failed(object, wrongStudy));
  const unreadable = objects
    .filter((object) => object === null)
    .map(() => dataset(['FailureReason', cannotUnderstand]));
  const failures = refused.length + unreadable.length;
  const [first] = stored;
  const study = studyInstanceUid ?? first?.StudyInstanceUID;
  const url = study === undefined ? root : `${root}/studies/${study}`;
  // As Orthanc does, both sequences always stand in the answer, without items when there are none.
  const body = dataset(
    ['RetrieveURL', url],
    ['FailedSOPSequence', ...refused],
    ['ReferencedSOPSequence', ...stored.map((object) => kept(object, root))],
    ...(unreadable.length > 0 ? [['OtherFailuresSequence', ...unreadable] as const] : []),
  );
  return { status: failures === 0 ? 200 : stored.length > 0 ? 202 : 409, body };
}

const reference = (object: StoredObject): Filled[] => [
  ['ReferencedSOPClassUID', object.SOPClassUID],
  ['ReferencedSOPInstanceUID', object.SOPInstanceUID],
];

const failed = (object: StoredObject, reason: number): Dataset =>
  dataset(...reference(object), ['FailureReason', reason]);

function kept(object: StoredObject, root: string): Dataset {
  const { StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID } = object;
  const url = `${root}/studies/${StudyInstanceUID}/series/${SeriesInstanceUID}/instances/${SOPInstanceUID}`;
  return dataset(...reference(object), ['RetrieveURL', url]);
}

type Filled = readonly [name: Keyword, ...values: unknown[]];

function dataset(...filled: readonly Filled[]): Dataset {
  return Object.fromEntries(
    filled.map(([name, ...Value]): [string, Attribute] => {
      const [tag, vr] = keywords[name];
      return [tag, Value.length > 0 ? { vr, Value } : { vr }];
    }),
  );
}
