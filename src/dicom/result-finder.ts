import { readFile } from 'node:fs/promises';
import type { Codes } from '../core/codes.ts';
import { asFailure } from '../core/failure.ts';
import type { Archive, FilmReader } from '../core/ports.ts';
import type { Instance } from '../core/study.ts';
import type { FoundResult, TakeOverPorts } from '../core/take-over.ts';
import { text } from './dataset.ts';
import { type Marks, ownReports } from './own-results.ts';
import { rejectedUids } from './select-rejection.ts';
import type { SelectionRules } from './select-rules.ts';
import { readReport } from './sr-reader.ts';

export interface ResultFinderOptions extends Marks {
  /** Where results go, if that is not the archive that the study was listed by. */
  readonly results: Archive | null;
  readonly archive: Archive;
  /** Parses the report: what lies in an archive may be hostile. */
  readonly reader: Pick<FilmReader, 'header'>;
  readonly codes: Codes;
  readonly rules: SelectionRules;
}

/** Finds the newest report of this model in the archive that results go to. Raises what the archive raises. */
export function createResultFinder(options: ResultFinderOptions): TakeOverPorts['result'] {
  const { archive, results, codes, rules, reader } = options;
  return async (studyInstanceUid, listed, knownRevision) => {
    const there = results ? await listOrNothing(results, studyInstanceUid) : listed;
    const [newest, ...older] = ownReports(there, options);
    if (!newest || newest.revision <= knownRevision) return null;
    const { bytes, header } = await fetched(results ?? archive, reader, newest.instance);
    const words = readReport(header, codes);
    if (!words) return null;
    const { reference: sr, revision, predecessor } = newest;
    const found: FoundResult = {
      ...{ sr, revision, predecessor, bytes, ...words },
      older: older.map(({ reference }) => reference.SOPInstanceUID),
      rejected: rejectedUids(there, rules).has(sr.SOPInstanceUID),
      stored: new Set(there.flatMap((instance) => uidOf(instance))),
    };
    return found;
  };
}

const uidOf = ({ header }: Instance): readonly string[] => (header ? [text(header, 'SOPInstanceUID') ?? ''] : []);

async function listOrNothing(archive: Archive, studyInstanceUid: string): Promise<readonly Instance[]> {
  try {
    return await archive.list(studyInstanceUid);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'source-gone') return [];
    throw failure;
  }
}

async function fetched(archive: Archive, reader: ResultFinderOptions['reader'], instance: Instance) {
  const path = await archive.fetch(instance);
  try {
    return { bytes: await readFile(path), header: await reader.header(path) };
  } finally {
    await archive.release(path);
  }
}
