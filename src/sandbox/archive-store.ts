import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isUid } from '../core/ids.ts';
import type { Dataset, InstanceReference } from '../core/study.ts';
import { text } from '../dicom/dataset.ts';
import { parsePart10 } from '../dicom/part10.ts';

/** One object of the archive: what its header says, and its bytes exactly as they came. */
export interface StoredObject extends InstanceReference {
  readonly transferSyntaxUID: string;
  /** Without bulk data, private attributes and file meta information. */
  readonly header: Dataset;
  /** The PS3.10 file. */
  readonly bytes: Uint8Array;
}

/** Objects under their SOP Instance UID, in the order of arrival. */
export interface ObjectStore {
  all(): readonly StoredObject[];
  /** UIDs of the studies, in the order of their first objects. */
  studies(): readonly string[];
  /** The objects of a study; the same array until one of them changes. */
  ofStudy(studyInstanceUid: string): readonly StoredObject[];
  get(sopInstanceUid: string): StoredObject | null;
  /** False when the UID was there before: the old bytes stay, as in Orthanc with OverwriteInstances off. */
  add(object: StoredObject): boolean;
  /** Whether it was there. */
  remove(sopInstanceUid: string): boolean;
}

/** Reads a PS3.10 file; null when it is not one, or lacks one of the four UIDs. */
export function readObject(bytes: Uint8Array): StoredObject | null {
  try {
    const { header, transferSyntaxUID } = parsePart10(bytes);
    const uid = (keyword: Parameters<typeof text>[1]) => text(header, keyword) ?? '';
    const object = {
      StudyInstanceUID: uid('StudyInstanceUID'),
      SeriesInstanceUID: uid('SeriesInstanceUID'),
      SOPInstanceUID: uid('SOPInstanceUID'),
      SOPClassUID: uid('SOPClassUID'),
    };
    return Object.values(object).every(isUid) ? { ...object, transferSyntaxUID, header, bytes } : null;
  } catch {
    return null;
  }
}

export function memoryStore(): ObjectStore {
  const objects = new Map<string, StoredObject>();
  const studies = new Map<string, readonly StoredObject[]>();
  return {
    all: () => [...objects.values()],
    studies: () => [...studies.keys()],
    ofStudy: (studyInstanceUid) => studies.get(studyInstanceUid) ?? [],
    get: (sopInstanceUid) => objects.get(sopInstanceUid) ?? null,
    add(object) {
      if (objects.has(object.SOPInstanceUID)) return false;
      objects.set(object.SOPInstanceUID, object);
      studies.set(object.StudyInstanceUID, [...(studies.get(object.StudyInstanceUID) ?? []), object]);
      return true;
    },
    remove(sopInstanceUid) {
      const object = objects.get(sopInstanceUid);
      if (!object) return false;
      objects.delete(sopInstanceUid);
      const rest = (studies.get(object.StudyInstanceUID) ?? []).filter((other) => other !== object);
      if (rest.length > 0) studies.set(object.StudyInstanceUID, rest);
      else studies.delete(object.StudyInstanceUID);
      return true;
    },
  };
}

/**
 * A store whose objects lie in a folder, one `UID.dcm` each, and are there again after a restart; in memory are their
 * headers alone. A UID holds digits and dots only, so that it can name a file.
 */
export function folderStore(folder: string): ObjectStore {
  mkdirSync(folder, { recursive: true });
  const store = memoryStore();
  const pathOf = (sopInstanceUid: string): string => join(folder, `${sopInstanceUid}.dcm`);
  for (const name of readdirSync(folder)
    .filter((entry) => entry.endsWith('.dcm'))
    .sort()) {
    const object = readObject(readFileSync(join(folder, name)));
    if (object) store.add(onDisk(object, join(folder, name)));
  }
  return {
    ...store,
    add(object) {
      if (store.get(object.SOPInstanceUID)) return false;
      writeWhole(pathOf(object.SOPInstanceUID), object.bytes);
      return store.add(onDisk(object, pathOf(object.SOPInstanceUID)));
    },
    remove(sopInstanceUid) {
      const removed = store.remove(sopInstanceUid);
      if (removed) rmSync(pathOf(sopInstanceUid), { force: true });
      return removed;
    },
  };
}

/** The same object with its bytes read anew each time that they are asked for. */
const onDisk = ({ bytes: _, ...object }: StoredObject, path: string): StoredObject => ({
  ...object,
  get bytes() {
    return readFileSync(path);
  },
});

function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}
