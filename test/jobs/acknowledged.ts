import { createHash } from 'node:crypto';
import type { Artifact } from '../../src/core/ports.ts';
import type { Reading } from '../../src/core/reading.ts';
import { makeReading, makeStudyHeader } from '../support/readings.ts';

/** What the killed process records of a study; the process that looks afterwards knows it too. */

export const acknowledgedReading = (uid: string): Reading =>
  makeReading({ study: makeStudyHeader({ StudyInstanceUID: uid }) });

/** 20 kB that depend on the study. */
export function acknowledgedSr(uid: string): Artifact {
  const bytes = Buffer.alloc(20_000, createHash('sha256').update(uid).digest());
  return {
    kind: 'sr',
    name: 'sr',
    fileName: 'sr.dcm',
    mediaType: 'application/dicom',
    id: `2.25.${uid}`,
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
