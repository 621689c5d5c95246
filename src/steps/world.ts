import type { Codes } from '../core/codes.ts';
import type {
  Archive,
  Chosen,
  Described,
  Destination,
  FilmReader,
  GatewayIdentity,
  Job,
  Ledger,
  Output,
} from '../core/ports.ts';
import type { ContentSettings, ModelIdentity, View } from '../core/reading.ts';
import { type Dataset, type Instance, samePatient } from '../core/study.ts';

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
}

export const eligible = (chosen: readonly Chosen[]): readonly { readonly instance: Instance; readonly view: View }[] =>
  chosen.flatMap(({ instance, choice }) => (choice.outcome === 'eligible' ? [{ instance, view: choice.view }] : []));

export { samePatient };
