import type { StudyHeader } from '../core/reading.ts';
import { type Priority, priorityOfWord } from '../core/study.ts';
import type { Http } from '../net/http.ts';
import { createFhirClient } from './client.ts';
import type { IdentifierOptions } from './options.ts';
import { accessionIdentifier, patientIdentifier } from './references.ts';
import { findOrderOf } from './resolver.ts';

/** How urgent the EHR's order of a study is: `ServiceRequest.priority`. A hint for the queue, never a condition of the report. */

export interface OrderPriorityOptions {
  readonly http: Http;
  /** Base URL of the server. */
  readonly root: string;
  readonly options: IdentifierOptions;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** Longest that a study waits for the answer. */
  readonly patienceMs?: number;
}

const defaultPatienceMs = 5_000;
/** A server that failed or was late is left alone so long: a backlog must not pay the patience for every study. */
const pauseMs = 60_000;

/** Never rejects. An order that is not found, not the patient's or not answered in time is routine. */
export function createOrderPriority(given: OrderPriorityOptions): (study: StudyHeader) => Promise<Priority> {
  const { http, root, options, now, patienceMs = defaultPatienceMs } = given;
  const hurried: Http = { ...http, request: (request) => http.request({ ...request, timeoutMs: patienceMs }) };
  const client = createFhirClient(hurried, root.replace(/\/+$/, ''));
  let pausedUntil = Number.NEGATIVE_INFINITY;
  return async (study) => {
    const patient = patientIdentifier(study, options);
    const accession = accessionIdentifier(study, options);
    if (patient?.system === undefined || !accession || now() < pausedUntil) return 'routine';
    try {
      const order = await within(patienceMs, findOrderOf(client, patient, accession));
      return typeof order?.priority === 'string' ? priorityOfWord(order.priority) : 'routine';
    } catch {
      pausedUntil = now() + pauseMs;
      return 'routine';
    }
  };
}

/** Rejects when the work is late; its own failure after that is nobody's. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('late')), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
