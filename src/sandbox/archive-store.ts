import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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
  get(sopInstanceUid: string): StoredObject | null;
  ofStudy(studyInstanceUid: string): readonly StoredObject[];
  /** False when the UID was there before: the old bytes stay, as in Orthanc with OverwriteInstances off. */
  add(object: StoredObject): boolean;
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
  const byStudy = new Map<string, StoredObject[]>();
  return {
    all: () => [...objects.values()],
    get: (sopInstanceUid) => objects.get(sopInstanceUid) ?? null,
    ofStudy: (studyInstanceUid) => byStudy.get(studyInstanceUid) ?? [],
    add(object) {
      if (objects.has(object.SOPInstanceUID)) return false;
      objects.set(object.SOPInstanceUID, object);
      const study = byStudy.get(object.StudyInstanceUID);
      if (study) study.push(object);
      else byStudy.set(object.StudyInstanceUID, [object]);
      return true;
    },
  };
}

/**
 * A memory store whose objects also lie in a folder, one `UID.dcm` each, and are there again after a restart.
 * A UID holds digits and dots only, so that it can name a file.
 */
export function folderStore(folder: string): ObjectStore {
  mkdirSync(folder, { recursive: true });
  const store = memoryStore();
  for (const name of readdirSync(folder)
    .filter((entry) => entry.endsWith('.dcm'))
    .sort()) {
    const object = readObject(readFileSync(join(folder, name)));
    if (object) store.add(object);
  }
  return {
    ...store,
    add(object) {
      const added = store.add(object);
      if (added) writeWhole(join(folder, `${object.SOPInstanceUID}.dcm`), object.bytes);
      return added;
    },
  };
}

function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}
