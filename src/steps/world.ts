import type { Codes } from '../core/codes.ts';
import type {
  Archive,
  Artifact,
  Chosen,
  Described,
  Destination,
  FilmReader,
  GatewayIdentity,
  Job,
  Ledger,
  Memory,
  Output,
  RejectionNote,
  Withdrawals,
} from '../core/ports.ts';
import type { ContentSettings, ModelIdentity, View } from '../core/reading.ts';
import type { Dataset, Instance, PatientIdentity } from '../core/study.ts';

/** What the steps are built from. Every effect is handed in. */
export interface World {
  readonly archive: Archive;
  readonly reader: FilmReader;
  readonly ledger: Ledger;
  readonly outputs: readonly Output[];
  readonly destinations: readonly Destination[];
  readonly select: (instances: readonly Instance[], now: number) => readonly Chosen[];
  readonly describe: (header: Dataset) => Described;
  readonly model: ModelIdentity;
  readonly settings: ContentSettings;
  readonly codes: Codes;
  readonly gateway: GatewayIdentity;
  readonly siteSecret: string;
  /** Whether a study with no scored image gets a failed-processing report. */
  readonly reportFailures: boolean;
  readonly settle: { readonly quietSeconds: number; readonly maxSeconds: number };
  readonly progress: (job: Job, state: 'selected' | 'read' | 'delivering') => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Something that a person should hear of although the study goes on. */
  readonly alert: (job: Job, code: AlertCode) => void;
  /** What a recorded study is looked at again for; absent where nothing is read twice. */
  readonly again?: Again;
}

/** `pixels-changed`: other pixels came under a UID that was read before. */
export type AlertCode = 'pixels-changed';

/** What it takes to look again at what was read, and to take it back. */
export interface Again {
  /** What the archive listed when a study was last looked at, by StudyInstanceUID. */
  readonly looks: Memory;
  /** The same for the same object as it was sent, whatever the archive adds to it. */
  readonly digestOf: (header: Dataset) => string;
  readonly withdrawals: Withdrawals;
  readonly composeNote: (note: RejectionNote) => Artifact;
  /** Results lie in another archive than the films: what one lists says nothing about the other. */
  readonly resultsElsewhere: boolean;
}

export const eligible = (chosen: readonly Chosen[]): readonly { readonly instance: Instance; readonly view: View }[] =>
  chosen.flatMap(({ instance, choice }) => (choice.outcome === 'eligible' ? [{ instance, view: choice.view }] : []));

/** What one side does not tell contradicts nothing: archives leave out the issuer, and some the patient. */
export function samePatient(a: PatientIdentity, b: PatientIdentity): boolean {
  const agree = (one: string | null, other: string | null) => one === null || other === null || one === other;
  return agree(a.PatientID, b.PatientID) && agree(a.IssuerOfPatientID, b.IssuerOfPatientID);
}
