import { randomUUID } from 'node:crypto';
import { json, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { isReason, reasonExpected } from '../core/demand.ts';
import { describe } from '../core/failure.ts';
import type { Flags } from '../core/flags.ts';
import { isUid } from '../core/ids.ts';
import type { JobState, StudyBoard, StudyQuery, StudyRow } from '../core/ports.ts';
import { type Demand, priorityOfWord, type StudyEvent } from '../core/study.ts';
import { notFound, RequestProblem, unsupportedMediaType } from './problem.ts';

/** The studies, for people and machines: what became of each, and a way to announce one. */

export interface ApiOptions {
  readonly board: StudyBoard;
  /** Takes an announcement; resolves when it is on the disk. */
  readonly receive: (event: StudyEvent) => Promise<void>;
  /** Takes what a person asks for, whatever sources are switched on; resolves when it is on the disk. */
  readonly ask: (event: StudyEvent) => Promise<void>;
  /** What a later look found wrong with a study. */
  readonly flags?: Pick<Flags, 'of' | 'all'>;
  /** Every change of state of a study, oldest first. */
  readonly history?: (studyInstanceUid: string) => Promise<readonly StateChange[]>;
  /** Every revision and withdrawal, as they are told. */
  readonly past?: (studyInstanceUid: string) => Promise<object>;
}

export interface StateChange {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly state: string;
  readonly code: string | null;
  readonly cause: string | null;
  readonly attempt: number;
  readonly durationMs: number;
  readonly demand: Demand | null;
}

const bodyLimitBytes = 16_384;

const states = {
  announced: true,
  settling: true,
  selected: true,
  read: true,
  delivering: true,
  retrying: true,
  done: true,
  skipped: true,
  quarantined: true,
  'source-gone': true,
  dead: true,
  superseded: true,
  retracted: true,
} as const satisfies Record<JobState, true>;

const querySchema = z.strictObject({
  state: z.enum(Object.keys(states) as JobState[]).optional(),
  decision: z.enum(['present', 'absent', 'undetermined']).optional(),
  code: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'a kebab-case code')
    .optional(),
  sort: z.enum(['score', '-score', 'updatedAt', '-updatedAt']).default('-updatedAt'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
});

const prioritySchema = z.enum(['routine', 'urgent', 'asap', 'stat']);

const announcementSchema = z.strictObject({
  studyInstanceUid: z.string().refine(isUid, 'a DICOM UID'),
  priority: prioritySchema.default('routine').transform(priorityOfWord),
  /** A backfill announces what it finds: no sign that anything changed. */
  source: z.literal('backfill').optional(),
});

const reasonSchema = z.string().refine(isReason, reasonExpected);
const bySchema = z
  .string()
  .regex(/^[\p{L}\p{N}._@/-]{1,64}$/u, '1 to 64 letters, digits or ._@/-')
  .default('api');
const retractSchema = z.strictObject({ reason: reasonSchema, by: bySchema });
const replaySchema = retractSchema.extend({
  force: z.boolean().default(false),
  priority: prioritySchema.default('stat').transform(priorityOfWord),
});

export function createApi({ board, receive, ask, history, past, flags }: ApiOptions): Router {
  const list: RequestHandler = async (request, response) => {
    const query = parse(querySchema, request.query) as StudyQuery;
    const { total, studies } = await board.find(query);
    response.json({ total, limit: query.limit, offset: query.offset, studies: studies.map(present) });
  };
  const one: RequestHandler<{ uid: string }> = async (request, response) => {
    const { uid } = request.params;
    const row = isUid(uid) ? await board.get(uid) : null;
    if (!row) throw notFound();
    response.json({
      ...present(row),
      flags: (await flags?.of(uid)) ?? [],
      ...(history && { history: (await history(uid)).map(presentChange) }),
      ...(past && (await past(uid))),
    });
  };
  const announce: RequestHandler = async (request, response) => {
    const { studyInstanceUid, priority, source } = parse(announcementSchema, request.body);
    if (source) await ask({ studyInstanceUid, priority, source });
    else await receive({ studyInstanceUid, priority, source: 'webhook' });
    response.status(202).location(`/api/v1/studies/${studyInstanceUid}`).json({ studyInstanceUid, priority });
  };
  const { retract, replay } = createDemands({ board, ask });
  const flagged: RequestHandler = async (_request, response) => {
    const all = Object.entries((await flags?.all()) ?? {});
    response.json({ studies: all.map(([studyInstanceUid, of]) => ({ studyInstanceUid, flags: of })) });
  };
  const body = json({ limit: bodyLimitBytes, inflate: false, type: 'application/json' });
  const router = Router({ caseSensitive: true, strict: true });
  router.route('/studies').get(list).post(requireJson, body, announce).all(refuseMethod('GET, HEAD, POST'));
  router.route('/studies/:uid').get(one).all(refuseMethod('GET, HEAD'));
  router.route('/studies/:uid/retract').post(requireJson, body, retract).all(refuseMethod('POST'));
  router.route('/studies/:uid/replay').post(requireJson, body, replay).all(refuseMethod('POST'));
  router.route('/flags').get(flagged).all(refuseMethod('GET, HEAD'));
  return router;
}

function createDemands({ board, ask }: Pick<ApiOptions, 'board' | 'ask'>) {
  const retract: RequestHandler<{ uid: string }> = async (request, response) => {
    const demand = { kind: 'retract', ...parse(retractSchema, request.body) } as const;
    const row = isUid(request.params.uid) ? await board.get(request.params.uid) : null;
    if (!row) throw notFound();
    if (row.modelId === null) throw nothingToRetract();
    const { studyInstanceUid } = row.job;
    response.status(202).json(await askFor(ask, { studyInstanceUid, priority: 'stat', demand }));
  };
  const replay: RequestHandler<{ uid: string }> = async (request, response) => {
    const { priority, ...asked } = parse(replaySchema, request.body);
    const demand = { kind: 'replay', ...asked } as const;
    if (!isUid(request.params.uid)) throw notFound();
    response.status(202).json(await askFor(ask, { studyInstanceUid: request.params.uid, priority, demand }));
  };
  return { retract, replay };
}

interface Asked extends Pick<StudyEvent, 'studyInstanceUid' | 'priority'> {
  readonly demand: Omit<Demand, 'id'>;
}

async function askFor(ask: ApiOptions['ask'], { demand, ...study }: Asked): Promise<Record<string, unknown>> {
  const named = { ...demand, reason: demand.reason.trim(), id: randomUUID() };
  await ask({ ...study, source: demand.kind, demand: named });
  return { studyInstanceUid: study.studyInstanceUid, demand: named.kind, id: named.id };
}

const nothingToRetract = (): RequestProblem => {
  const detail = describe('nothing-to-retract', {});
  return new RequestProblem({ status: 409, title: 'Nothing to retract', detail, code: 'nothing-to-retract' });
};

/** A browser sends JSON to another origin only after asking first, and nobody here answers that question. */
const requireJson: RequestHandler = (request, _response, next) => {
  if (!request.is('application/json')) throw new RequestProblem(unsupportedMediaType);
  next();
};

function refuseMethod(allow: string): RequestHandler {
  return () => {
    const detail = `Allowed: ${allow}.`;
    throw new RequestProblem(
      { status: 405, title: 'Method not allowed', detail, code: 'method-not-allowed' },
      { allow },
    );
  };
}

/** Names what is wrong and what is allowed, without repeating what was sent. */
function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message, code }) => {
    const known = code === 'unrecognized_keys' ? 'an unknown key' : message;
    return `${path.join('.') || 'request'}: ${known}`;
  });
  const detail = `Expected other values. ${faults.join('; ')}.`;
  throw new RequestProblem({ status: 400, title: 'Bad request', detail, code: 'invalid-request' });
}

/** A row as the API shows it. `reviewed` is false for ever: no person has confirmed what a model says. */
export function present({ job, instances, receipts, artifacts, ...result }: StudyRow): Record<string, unknown> {
  return {
    studyInstanceUid: job.studyInstanceUid,
    job: job.number,
    state: job.state,
    code: job.code,
    partial: job.partial,
    attempt: job.attempt,
    priority: job.priority,
    source: job.source,
    demand: job.demand?.kind ?? null,
    announcedAt: isoTime(job.announcedAt),
    dueAt: isoTime(job.dueAt),
    updatedAt: isoTime(job.updatedAt),
    reviewed: false,
    modelId: result.modelId,
    decision: result.decision,
    score: result.score,
    readAt: result.readAt,
    instances: instances.map(({ SOPInstanceUID: sopInstanceUid, outcome, reason, because, view, score, decision }) => {
      return { sopInstanceUid, outcome, reason, because, view, score, decision };
    }),
    artifacts,
    receipts,
  };
}

function presentChange({ at, ...change }: StateChange): Record<string, unknown> {
  return { at: isoTime(at), ...change };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();
