import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { folderStore, memoryStore, type ObjectStore, readObject } from '../../src/sandbox/archive-store.ts';
import { editObject } from './edit-object.ts';
import { createRecorder, type Journal, type Recorder, type SimulatorOptions } from './journal.ts';
import { createChangeFeed } from './orthanc-feed.ts';

/** The sandbox's archive, told to misbehave, in a world where studies are deleted, merged and moved. */

export interface SimulatedArchiveOptions extends SimulatorOptions {
  /** Where the objects lie: for thousands of studies, whose bytes then stay out of memory. In memory when absent. */
  readonly folder?: string;
}

export interface SimulatedArchive extends RunningArchive, Journal, Pick<Recorder, 'setScript' | 'setObserver'> {
  /** Of the Orthanc-like REST API with its changes; no slash at the end. */
  readonly restUrl: string;
  readonly store: ObjectStore;
  /** As a modality sends it, without the network. Raises when it is no object; false when its UID was there. */
  addInstance(bytes: Uint8Array): boolean;
  /** All objects of the study leave the archive. */
  remove(studyInstanceUid: string): void;
  /** The study comes under another patient: every object of it. */
  mergePatient(studyInstanceUid: string, patientId: string): void;
  /** The objects keep their SOP Instance UIDs and stand in another study from now on. */
  moveStudy(studyInstanceUid: string, newStudyInstanceUid: string): void;
  /** Other bytes under the same SOP Instance UID. */
  replacePixels(sopInstanceUid: string, bytes: Uint8Array): void;
  /** The changes begin again with number 1. */
  resetChanges(): void;
  /** Writes every object, `00000.dcm` and so on in the order of arrival; gives their number. */
  dump(folder: string): number;
}

export async function startSimulatedArchive(options: SimulatedArchiveOptions = {}): Promise<SimulatedArchive> {
  const base = options.folder === undefined ? memoryStore() : folderStore(options.folder);
  const feed = createChangeFeed(base);
  const store: ObjectStore = {
    ...base,
    add(object) {
      const added = base.add(object);
      if (added) feed.note(object);
      return added;
    },
  };
  const recorder = createRecorder(options);
  const archive = await startArchive({
    store,
    before: (request, response, next) =>
      recorder.handler(request, response, (error?: unknown) =>
        error === undefined ? feed.handler(request, response, next) : next(error),
      ),
  });
  const { requests, inFlight, highestInFlight, setScript, setObserver } = recorder;
  return {
    ...archive,
    ...{ requests, inFlight, highestInFlight, setScript, setObserver, store },
    restUrl: new URL(archive.url).origin,
    resetChanges: () => feed.reset(),
    dump: (folder) => dump(store, folder),
    ...worldOf(store),
  };
}

type World = Pick<SimulatedArchive, 'addInstance' | 'remove' | 'mergePatient' | 'moveStudy' | 'replacePixels'>;

function worldOf(store: ObjectStore): World {
  const put = (bytes: Uint8Array): boolean => {
    const object = readObject(bytes);
    if (!object) throw new Error('expected a PS3.10 file with its four UIDs');
    return store.add(object);
  };
  /** All objects of a study, each replaced by what a function makes of it. */
  const change = (studyInstanceUid: string, edit: (bytes: Uint8Array) => Uint8Array): void => {
    for (const { SOPInstanceUID, bytes } of store.ofStudy(studyInstanceUid)) {
      const edited = edit(bytes);
      store.remove(SOPInstanceUID);
      put(edited);
    }
  };
  return {
    addInstance: put,
    remove(studyInstanceUid) {
      for (const { SOPInstanceUID } of store.ofStudy(studyInstanceUid)) store.remove(SOPInstanceUID);
    },
    mergePatient: (studyInstanceUid, patientId) =>
      change(studyInstanceUid, (bytes) => editObject(bytes, 'PatientID', patientId)),
    moveStudy: (studyInstanceUid, newUid) =>
      change(studyInstanceUid, (bytes) => editObject(bytes, 'StudyInstanceUID', newUid)),
    replacePixels(sopInstanceUid, bytes) {
      if (readObject(bytes)?.SOPInstanceUID !== sopInstanceUid) throw new Error('expected an object of the same UID');
      store.remove(sopInstanceUid);
      put(bytes);
    },
  };
}

function dump(store: ObjectStore, folder: string): number {
  mkdirSync(folder, { recursive: true });
  const objects = store.all();
  for (const [index, { bytes }] of objects.entries()) {
    writeFileSync(join(folder, `${String(index).padStart(5, '0')}.dcm`), bytes);
  }
  return objects.length;
}
