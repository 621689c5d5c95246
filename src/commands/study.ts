import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, loadConfig } from '../config.ts';
import { asFailure, Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { InstanceOutcome, JobState, StudyRow } from '../core/ports.ts';
import { type DurableQueue, runJobs } from '../jobs/index.ts';
import { readStudy } from '../pipeline.ts';
import { createSteps } from '../steps/index.ts';
import { type Gateway, runningApi, wireGateway } from '../wire-gateway.ts';
import { exitCodeOfCode, exitCodes } from './run.ts';
import { stderrLog } from './stderr-log.ts';

/** `study UID`: one study of the PACS, now: through a `serve` that holds the store, else alone. */

interface Input {
  readonly studyInstanceUid: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

/** What `--json` prints, alone or through a running gateway. */
interface StudyResult {
  readonly studyInstanceUid: string;
  readonly state: JobState;
  readonly code: string | null;
  readonly partial: boolean;
  readonly decision: StudyRow['decision'];
  readonly score: number | null;
  readonly instances: readonly Pick<InstanceOutcome, 'outcome' | 'reason' | 'view' | 'score' | 'decision'>[];
}

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

export async function run({ studyInstanceUid, config: path, set = [], json = false }: Input): Promise<number> {
  if (!isUid(studyInstanceUid))
    throw new Failure('invalid-identifier', { where: 'the argument', expected: 'a StudyInstanceUID' });
  const config = loadConfig(path ?? null, set);
  const row = (await alone(config, studyInstanceUid)) ?? (await throughServe(config, studyInstanceUid));
  if (json) console.log(JSON.stringify(row));
  else console.log(sentenceOf(row));
  return exitCodeOfState(row);
}

/** Works on the store itself, or gives null when a `serve` holds it. */
async function alone(config: Config, studyInstanceUid: string): Promise<StudyResult | null> {
  let gateway: Gateway;
  try {
    gateway = await wireGateway(config, stderrLog());
  } catch (thrown) {
    if (asFailure(thrown).code === 'store-locked') return null;
    throw thrown;
  }
  try {
    if (gateway.heldBack) throw new Failure(gateway.heldBack);
    return await runOne(gateway, config, studyInstanceUid);
  } finally {
    await gateway.close();
  }
}

async function runOne({ world, store, log }: Gateway, config: Config, studyInstanceUid: string): Promise<StudyResult> {
  const { queue, board } = store;
  await queue.announce({ studyInstanceUid, source: 'study', priority: 'stat' }, Date.now());
  const stop = new AbortController();
  const steps = createSteps({ ...world, settle: { quietSeconds: 0, maxSeconds: 0 } });
  const jobs = runJobs({
    queue: only(queue, studyInstanceUid, () => stop.abort()),
    readStudy: (job) => readStudy(job, steps),
    retryWindowMs: config.jobs.retryHours * 3_600_000,
    graceMs: 3_600_000,
    ...{ log, now: Date.now, random: Math.random, concurrency: 1, signal: stop.signal },
  });
  await jobs.done;
  const row = (await board.get(studyInstanceUid))!;
  const { state, code, partial } = row.job;
  return { studyInstanceUid, state, code, partial, decision: row.decision, score: row.score, instances: row.instances };
}

/** The queue with one job in it, due whatever its back-off says; after it there is nothing more. */
function only(queue: DurableQueue, studyInstanceUid: string, finished: () => void): DurableQueue {
  let claimed = false;
  return {
    ...queue,
    nextDueAt: async () => null,
    async claim(now) {
      const job = claimed ? null : await queue.claimStudy(studyInstanceUid, now);
      claimed = true;
      if (!job) finished();
      return job;
    },
  };
}

/** Asks the running gateway by its API, with the address and the token of the same configuration. */
async function throughServe(config: Config, studyInstanceUid: string): Promise<StudyResult> {
  const { url, token } = runningApi(config);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const beganAt = Date.now();
  const announcement = { method: 'POST', headers, body: JSON.stringify({ studyInstanceUid, priority: 'stat' }) };
  await answered(await fetch(`${url}/api/v1/studies`, announcement));
  for (;;) {
    const answer = await answered(await fetch(`${url}/api/v1/studies/${studyInstanceUid}`, { headers }));
    const row = (await answer.json()) as StudyResult & { readonly updatedAt: string };
    if (ended.includes(row.state) && Date.parse(row.updatedAt) >= beganAt) return row;
    await sleep(500);
  }
}

async function answered(response: Response): Promise<Response> {
  if (response.ok) return response;
  const got = `status ${response.status}`;
  throw new Failure('store-locked', { where: 'the running gateway', expected: 'an answer of its API', got });
}

function sentenceOf({ state, code, decision, score }: StudyResult): string {
  const result =
    decision === null || score === null ? '' : `: ${decision}, score ${score.toFixed(4)}. AI output, not reviewed`;
  return `${state}${code === null ? '' : ` (${code})`}${result}`;
}

/** A skip is an answer; a failure has the exit code of its code. */
function exitCodeOfState({ state, code }: StudyResult): number {
  if (state === 'done' || state === 'skipped') return exitCodes.ok;
  return exitCodeOfCode(code);
}
