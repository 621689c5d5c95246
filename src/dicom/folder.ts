import { mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { asFailure, Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';
import type { Archive, Artifact, Destination, FilmReader, Receipt } from '../core/ports.ts';
import type { FailureNote, Instance, PatientIdentity } from '../core/study.ts';
import { text } from './dataset.ts';
import { patientIdentity } from './header.ts';

/** Files and folders as an archive and as a destination: the world of the command `read`. */

/** The files of one study; `studyInstanceUid` is null for those that name none or could not be parsed. */
export interface FolderStudy {
  readonly studyInstanceUid: string | null;
  /** Keyed by path, in the order of the paths. */
  readonly instances: readonly Instance[];
}

/**
 * Every file below the paths, grouped by study in the order of their first file; the group without a study comes last.
 * A file that cannot be parsed is an instance with a failure: nothing is dropped.
 */
export async function scanFolder(
  paths: readonly string[],
  reader: Pick<FilmReader, 'header'>,
): Promise<readonly FolderStudy[]> {
  const instances: Instance[] = [];
  for (const path of await filesBelow(paths)) instances.push(await instanceOf(path, reader));
  const groups = Map.groupBy(instances, ({ header }) => (header ? text(header, 'StudyInstanceUID') : null));
  const studies = [...groups].map(([studyInstanceUid, members]) => ({ studyInstanceUid, instances: members }));
  const belongsToNone = ({ studyInstanceUid }: FolderStudy) => studyInstanceUid === null;
  return [...studies.filter((study) => !belongsToNone(study)), ...studies.filter(belongsToNone)];
}

/**
 * The files below the paths as absolute paths, each once, sorted within its folder. Hidden entries of folders are passed
 * over, and so is what is neither file nor folder; a folder is walked once, by whatever link it is reached. A path that a
 * person named is always listed, so that it gets its answer even when it cannot be opened.
 */
export async function filesBelow(paths: readonly string[]): Promise<readonly string[]> {
  const files = new Set<string>();
  const walked = new Set<string>();
  for (const path of paths) {
    if ((await kindOf(path)) === 'folder') await walk(resolve(path), files, walked);
    else files.add(resolve(path));
  }
  return [...files];
}

async function walk(folder: string, files: Set<string>, walked: Set<string>): Promise<void> {
  const real = await realpath(folder);
  if (walked.has(real)) return;
  walked.add(real);
  const names = await readdir(folder).catch(() => null);
  if (names === null) files.add(folder);
  for (const name of (names ?? []).filter((entry) => !entry.startsWith('.')).sort()) {
    const path = join(folder, name);
    const kind = await kindOf(path);
    if (kind === 'folder') await walk(path, files, walked);
    if (kind === 'file') files.add(path);
  }
}

/** What a path leads to, through links; a link that leads nowhere or in a circle is `other`. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'other'> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return 'folder';
  return found?.isFile() ? 'file' : 'other';
}

async function instanceOf(path: string, reader: Pick<FilmReader, 'header'>): Promise<Instance> {
  if ((await kindOf(path)) !== 'file')
    return failed(path, new Failure('not-dicom', { got: 'no file that can be read' }));
  try {
    return { key: path, header: await reader.header(path), failure: null };
  } catch (thrown) {
    return failed(path, asFailure(thrown));
  }
}

/** The detail says where and what, in words of ours; the path is the key and is not repeated. */
function failed(key: string, failure: Failure): Instance {
  const { where, expected, got } = failure.detail;
  const detail = [where, expected && `expected ${expected}`, got && `got ${got}`].filter(Boolean).join(', ');
  const note: FailureNote = { code: failure.code, detail };
  return { key, header: null, failure: note };
}

/** An archive over what was scanned. Files are read where they lie: `fetch` gives the path itself, `release` leaves it. */
export function createFolder(studies: readonly FolderStudy[]): Archive {
  const listed = (studyInstanceUid: string): readonly Instance[] => {
    const study = studies.find((candidate) => candidate.studyInstanceUid === studyInstanceUid);
    if (!study) throw new Failure('source-gone', { where: 'folder' });
    return study.instances;
  };
  return {
    name: 'folder',
    list: async (studyInstanceUid) => listed(studyInstanceUid),
    patients: async (studyInstanceUid) => distinctPatients(listed(studyInstanceUid)),
    fetch: async (instance) => instance.key,
    release: async () => {},
  };
}

function distinctPatients(instances: readonly Instance[]): readonly PatientIdentity[] {
  const patients = instances.flatMap(({ header }) => (header ? [patientIdentity(header)] : []));
  return [...new Map(patients.map((patient) => [JSON.stringify(patient), patient])).values()];
}

/**
 * A destination that writes every artifact into one folder under its own file name: whole or not at all, synced, and read
 * back before it counts. `now` gives milliseconds since 1970 for the receipts.
 */
export function createFolderDestination(folder: string, now: () => number = Date.now): Destination {
  return {
    name: 'folder',
    kinds: ['sr', 'heatmap', 'fhir-bundle'],
    deliver: async (artifacts) => {
      const receipts: Receipt[] = [];
      for (const artifact of artifacts) {
        await storeFile(folder, artifact);
        const { name, fileName } = artifact;
        receipts.push({
          artifact: name,
          destination: 'folder',
          storedAt: new Date(now()).toISOString(),
          note: fileName,
        });
      }
      return receipts;
    },
  };
}

async function storeFile(folder: string, { fileName, bytes, sha256: digest }: Artifact): Promise<void> {
  if (basename(fileName) !== fileName || fileName.startsWith('.')) {
    throw new Failure('internal', { where: 'file name of an artifact', expected: 'a plain name' });
  }
  const path = join(folder, fileName);
  const partial = join(folder, `.${fileName}.partial`);
  try {
    await mkdir(folder, { recursive: true });
    await writeSynced(partial, bytes);
    await rename(partial, path);
    if (sha256(await readFile(path)) === digest) return;
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => {});
    const got = (cause as NodeJS.ErrnoException).code ?? 'an error';
    throw new Failure('store-failed', { where: `output folder, ${fileName}`, got, cause });
  }
  throw new Failure('store-failed', { where: `output folder, ${fileName}`, expected: 'the bytes that were written' });
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
