import type { Receipt } from '../core/ports.ts';
import type { Reading, StudyDecision } from '../core/reading.ts';
import type { Demand } from '../core/study.ts';
import { type Database, translateErrors } from './database.ts';

/** What was said of a study before, and what was taken back: for whoever asks later who did what, when and why. Reads only. */

export interface StudyPast {
  /** Every recorded reading, oldest first. */
  readonly revisions: readonly Revision[];
  readonly withdrawals: readonly PastWithdrawal[];
}

export interface Revision {
  readonly revision: number;
  readonly modelId: string;
  /** Hex SHA-256 of the weights that read it. */
  readonly modelSha256: string;
  readonly operatingPoint: number;
  readonly decision: StudyDecision;
  readonly score: number | null;
  readonly readAt: string;
  /** SOP Instance UID of the SR that it follows. */
  readonly predecessor: string | null;
  /** Images whose pixels are not those of the reading before. */
  readonly pixelsChanged: readonly string[];
  /** The replay that asked for it. */
  readonly demand: Demand | null;
  readonly withdrawnAt: string | null;
}

export interface PastWithdrawal {
  readonly demand: Demand;
  readonly at: string;
  /** What could not be taken back. */
  readonly code: string | null;
  /** SOP Instance UID of the note in the archive. */
  readonly rejectionNote: string | null;
  readonly receipts: readonly Receipt[];
}

interface PastRow {
  readonly number: number;
  readonly demand: string;
  readonly at: string;
  readonly code: string | null;
  readonly note: string | null;
}

export function createPast(database: Database): (studyInstanceUid: string) => Promise<StudyPast> {
  const readings = database.prepare(`SELECT json, withdrawal.at AS withdrawn FROM reading
    LEFT JOIN withdrawal ON withdrawal.number = reading.withdrawal WHERE reading.study = ? ORDER BY reading.id`);
  const withdrawals = database.prepare('SELECT * FROM withdrawal WHERE study = ? ORDER BY number');
  const receipts = database.prepare(`SELECT artifact, destination, stored_at AS storedAt, note FROM withdrawal_receipt
    WHERE withdrawal = ? ORDER BY destination, artifact`);
  return async (studyInstanceUid) =>
    translateErrors('the past of a study', () => ({
      revisions: (readings.all(studyInstanceUid) as { json: string; withdrawn: string | null }[]).map(revisionOf),
      withdrawals: (withdrawals.all(studyInstanceUid) as unknown as PastRow[]).map((row) => ({
        demand: JSON.parse(row.demand) as Demand,
        at: row.at,
        code: row.code,
        rejectionNote: row.note,
        receipts: (receipts.all(row.number) as unknown as Receipt[]).map((receipt) => ({ ...receipt })),
      })),
    }));
}

function revisionOf({ json, withdrawn }: { readonly json: string; readonly withdrawn: string | null }): Revision {
  const { revision, model, settings, decision, score, readAt, predecessor, images, demand } = JSON.parse(
    json,
  ) as Reading;
  return {
    ...{ revision, decision, score, readAt, withdrawnAt: withdrawn, demand: demand ?? null },
    modelId: model.id,
    modelSha256: model.sha256,
    operatingPoint: settings.operatingPoint,
    predecessor: predecessor?.SOPInstanceUID ?? null,
    pixelsChanged: images
      .filter(({ flags }) => flags.includes('pixels-changed'))
      .map(({ image }) => image.SOPInstanceUID),
  };
}
