import type { InstanceOutcome, Ledger, Recorded } from '../core/ports.ts';

/** A ledger that lives as long as the process: for the command `read`, which has no store. */
export interface MemoryLedger extends Ledger {
  /** Outcomes of the last run of a study. */
  outcomes(studyInstanceUid: string): readonly InstanceOutcome[];
}

export function createMemoryLedger(): MemoryLedger {
  const recordings = new Map<string, Recorded>();
  const outcomes = new Map<string, readonly InstanceOutcome[]>();
  const keyOf = (studyInstanceUid: string, modelId: string) => `${studyInstanceUid}\n${modelId}`;
  return {
    latest: async (studyInstanceUid, modelId) => {
      if (modelId !== null) return recordings.get(keyOf(studyInstanceUid, modelId)) ?? null;
      const ofStudy = [...recordings.values()].filter(
        ({ reading }) => reading.study.StudyInstanceUID === studyInstanceUid,
      );
      return ofStudy.at(-1) ?? null;
    },
    async record(_job, reading, artifacts) {
      const recorded: Recorded = { reading, artifacts, receipts: [] };
      recordings.set(keyOf(reading.study.StudyInstanceUID, reading.model.id), recorded);
      return recorded;
    },
    async receive(reading, receipts) {
      const key = keyOf(reading.study.StudyInstanceUID, reading.model.id);
      const recorded = recordings.get(key);
      if (recorded) recordings.set(key, { ...recorded, receipts: [...recorded.receipts, ...receipts] });
    },
    async recordOutcomes(job, list) {
      outcomes.set(job.studyInstanceUid, list);
    },
    outcomes: (studyInstanceUid) => outcomes.get(studyInstanceUid) ?? [],
  };
}
