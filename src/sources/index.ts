import type { Failure } from '../core/failure.ts';
import type { Memory, Source } from '../core/ports.ts';
import type { ListedStudy, SearchStudies } from '../core/search.ts';
import type { Http } from '../net/http.ts';
import type { SourcesOptions } from './options.ts';
import { createOrthancChanges } from './orthanc-changes.ts';
import { createQidoPoll } from './qido-poll.ts';
import { createWebhook, type Webhook } from './webhook.ts';

export type { Webhook } from './webhook.ts';

/** What the sources need of the rest of the product. */
export interface SourceTools {
  readonly searchStudies: SearchStudies;
  /** A client whose roots hold `orthancUrl`; asked for only when that is set. */
  readonly orthancHttp: (orthancUrl: string) => Http;
  /** The memory of the source of this name. */
  readonly memory: (source: string) => Memory;
  /** Whether this process is the one that asks for the source of this name. */
  readonly leads: (source: string) => Promise<boolean>;
  /** Told when a source cannot ask; it goes on asking. */
  readonly report: (source: string, failure: Failure) => void;
  /** Of the site, `+HHMM`; null: unknown. */
  readonly timezoneOffset: string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** See `QidoPoll`. */
  readonly showsLoss?: (study: ListedStudy) => Promise<boolean>;
}

export interface Sources {
  /** To be run; the webhook is one of them. */
  readonly sources: readonly Source[];
  /** For the HTTP layer; null when it is switched off. */
  readonly webhook: Webhook | null;
}

/** The sources that the site wants: a new one is its file and a line here. */
export function createSources({ qidoPoll, orthancChanges, webhook }: SourcesOptions, tools: SourceTools): Sources {
  const { searchStudies, timezoneOffset, now, showsLoss } = tools;
  const loss = showsLoss ? { showsLoss } : {};
  const toolsOf = (name: string) => ({
    memory: tools.memory(name),
    leads: () => tools.leads(name),
    report: (failure: Failure) => tools.report(name, failure),
  });
  const { orthancUrl } = orthancChanges;
  const hook = webhook.enabled ? createWebhook() : null;
  const sources = [
    ...(qidoPoll.enabled
      ? [createQidoPoll({ searchStudies, options: qidoPoll, timezoneOffset, now, ...loss, ...toolsOf('qido-poll') })]
      : []),
    ...(orthancUrl === undefined
      ? []
      : [
          createOrthancChanges({
            ...orthancChanges,
            orthancUrl,
            http: tools.orthancHttp(orthancUrl),
            ...toolsOf('orthanc-changes'),
          }),
        ]),
    ...(hook ? [hook] : []),
  ];
  return { sources, webhook: hook };
}
