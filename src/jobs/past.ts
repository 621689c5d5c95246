import type { Receipt } from '../core/ports.ts';
import type { Reading, StudyDecision } from '../core/reading.ts';
import type { Demand } from '../core/study.ts';
import { all, type Engine, type Work } from './work.ts';

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

export function createPast(engine: Engine): (studyInstanceUid: string) => Promise<StudyPast> {
  return (studyInstanceUid) =>
    engine.read('the past of a study', function* () {
      const revisions = (yield* all<RevisionRow>(sql.readings, studyInstanceUid)).map(revisionOf);
      const withdrawals: PastWithdrawal[] = [];
      for (const row of yield* all<PastRow>(sql.withdrawals, studyInstanceUid)) withdrawals.push(yield* pastOf(row));
      return { revisions, withdrawals };
    });
}

function* pastOf({ number, demand, at, code, note }: PastRow): Work<PastWithdrawal> {
  const receipts = yield* all<Receipt>(sql.receipts, number);
  return {
    demand: JSON.parse(demand) as Demand,
    at,
    code,
    rejectionNote: note,
    receipts: receipts.map((receipt) => ({ ...receipt })),
  };
}

const sql = {
  readings: `SELECT json, withdrawal.at AS withdrawn FROM reading
    LEFT JOIN withdrawal ON withdrawal.number = reading.withdrawal WHERE reading.study = $1 ORDER BY reading.id`,
  withdrawals: 'SELECT number, demand, at, code, note FROM withdrawal WHERE study = $1 ORDER BY number',
  receipts: `SELECT artifact, destination, stored_at AS "storedAt", note FROM withdrawal_receipt
    WHERE withdrawal = $1 ORDER BY destination, artifact`,
} as const;

interface RevisionRow {
  readonly json: string;
  readonly withdrawn: string | null;
}

function revisionOf({ json, withdrawn }: RevisionRow): Revision {
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
