import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { JobState } from '../core/ports.ts';
import type { StudyEvent } from '../core/study.ts';
import { runningApi } from '../wire-gateway.ts';
import type { StudiesLink, StudyResult } from './studies.ts';

/** Asks the running gateway by its API, with the address and the token of the same configuration. */

/** States in which a run has ended: for good, or with a failure that will be tried again. */
const ended: readonly JobState[] = [
  'done',
  'skipped',
  'quarantined',
  'source-gone',
  'dead',
  'retrying',
  'superseded',
  'retracted',
];

const pollMs = 500;
const page = 500;

type Row = StudyResult & { readonly updatedAt: string; readonly demand: string | null };

export function linkToServe(config: Config): StudiesLink {
  const { url, token } = runningApi(config);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const get = async <T>(path: string) =>
    (await (await answered(await fetch(`${url}/api/v1/studies${path}`, { headers }))).json()) as T;
  const post = async (path: string, body: object) =>
    answered(await fetch(`${url}/api/v1/studies${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
  const askedAt = new Map<string, number>();
  return {
    running: true,
    async find({ state, code }) {
      const found: string[] = [];
      const filters = { ...(state && { state }), ...(code && { code }), sort: 'updatedAt', limit: String(page) };
      for (let total = 1; found.length < total; ) {
        const query = new URLSearchParams({ ...filters, offset: String(found.length) });
        const answer = await get<{ readonly total: number; readonly studies: readonly Row[] }>(`?${query}`);
        if (answer.studies.length === 0) break;
        total = answer.total;
        found.push(...answer.studies.map(({ studyInstanceUid }) => studyInstanceUid));
      }
      return found;
    },
    async ask(event) {
      askedAt.set(event.studyInstanceUid, Date.now());
      const { path, body } = requestOf(event);
      await post(path, body);
    },
    async result(studyInstanceUid) {
      const since = askedAt.get(studyInstanceUid) ?? 0;
      for (;;) {
        const row = await get<Row>(`/${studyInstanceUid}`);
        if (ended.includes(row.state) && row.demand === null && Date.parse(row.updatedAt) >= since) return row;
        // A demand that failed for now stays until it is carried out.
        if (row.state === 'retrying' && Date.parse(row.updatedAt) >= since) return row;
        await sleep(pollMs);
      }
    },
  };
}

function requestOf({ studyInstanceUid, priority, source, demand }: StudyEvent) {
  if (!demand)
    return { path: '', body: { studyInstanceUid, priority, ...(source === 'backfill' && { source }) } } as const;
  const { kind, reason, by, force } = demand;
  return {
    path: `/${studyInstanceUid}/${kind}`,
    body: { reason, by, ...(kind === 'replay' && { force, priority }) },
  } as const;
}

async function answered(response: Response): Promise<Response> {
  if (response.ok) return response;
  const problem = (await response.json().catch(() => null)) as { readonly code?: string } | null;
  const ofRetraction = /\/retract$/.test(new URL(response.url).pathname);
  if (ofRetraction && (response.status === 404 || problem?.code === 'nothing-to-retract'))
    throw new Failure('nothing-to-retract');
  const got = `status ${response.status}`;
  throw new Failure('store-locked', { where: 'the running gateway', expected: 'an answer of its API', got });
}
