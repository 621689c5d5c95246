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
  Orders,
  Output,
  RejectionNote,
  Withdrawals,
} from '../core/ports.ts';
import type { ContentSettings, ModelIdentity, Reading, View } from '../core/reading.ts';
import { type Dataset, type Instance, samePatient } from '../core/study.ts';
import type { TakeOverPorts } from '../core/take-over.ts';

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
  /** Finds results that the ledger does not know; left out where there are no servers to ask. */
  readonly takeOver?: TakeOverPorts;
  /** Whether a study with no scored image gets a failed-processing report. */
  readonly reportFailures: boolean;
  readonly settle: { readonly quietSeconds: number; readonly maxSeconds: number };
  /** Asked once, when a study that waits to settle is first listed; absent: the announcement alone says what is urgent. */
  readonly orders?: Orders;
  readonly progress: (job: Job, state: 'selected' | 'read' | 'delivering') => Promise<void>;
  /** Tells a person of what no code of the study says; left out where nobody listens. */
  readonly alert?: (code: string, job: Job) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What a recorded study is looked at again for; absent where nothing is read twice. */
  readonly again?: Again;
}

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

/** Whether a reading is about these films and no others, and about their patient. */
export function isAbout({ describe }: World, chosen: readonly Chosen[], { images, failures, study }: Reading): boolean {
  const read = new Set([...images.map(({ image }) => image.SOPInstanceUID), ...failures.map((f) => f.SOPInstanceUID)]);
  const listed = eligible(chosen).map(({ instance }) => instance.header && describe(instance.header));
  const same = listed.every((film) => film && read.has(film.image.SOPInstanceUID) && samePatient(film.study, study));
  return same && new Set(listed.map((film) => film?.image.SOPInstanceUID)).size === read.size;
}

export { samePatient };
