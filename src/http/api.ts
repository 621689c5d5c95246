import { json, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import type { Flags } from '../core/flags.ts';
import { isUid } from '../core/ids.ts';
import type { JobState, StudyBoard, StudyQuery, StudyRow } from '../core/ports.ts';
import { priorityOfWord, type StudyEvent } from '../core/study.ts';
import { notFound, RequestProblem, unsupportedMediaType } from './problem.ts';

/** The studies, for people and machines: what became of each, and a way to announce one. */

export interface ApiOptions {
  readonly board: StudyBoard;
  /** Takes an announcement; resolves when it is on the disk. */
  readonly receive: (event: StudyEvent) => Promise<void>;
  /** Every change of state of a study, oldest first. */
  /** What a later look found wrong with a study. */
  readonly flags?: Pick<Flags, 'of' | 'all'>;
  readonly history?: (studyInstanceUid: string) => Promise<readonly StateChange[]>;
}

export interface StateChange {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly state: string;
  readonly code: string | null;
  readonly cause: string | null;
  readonly attempt: number;
  readonly durationMs: number;
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

const announcementSchema = z.strictObject({
  studyInstanceUid: z.string().refine(isUid, 'a DICOM UID'),
  priority: z.enum(['routine', 'urgent', 'asap', 'stat']).default('routine').transform(priorityOfWord),
});

export function createApi({ board, receive, history, flags }: ApiOptions): Router {
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
    });
  };
  const announce: RequestHandler = async (request, response) => {
    const { studyInstanceUid, priority } = parse(announcementSchema, request.body);
    await receive({ studyInstanceUid, priority, source: 'webhook' });
    response.status(202).location(`/api/v1/studies/${studyInstanceUid}`).json({ studyInstanceUid, priority });
  };
  const flagged: RequestHandler = async (_request, response) => {
    const all = Object.entries((await flags?.all()) ?? {});
    response.json({ studies: all.map(([studyInstanceUid, of]) => ({ studyInstanceUid, flags: of })) });
  };
  const body = json({ limit: bodyLimitBytes, inflate: false, type: 'application/json' });
  const router = Router({ caseSensitive: true, strict: true });
  router.route('/studies').get(list).post(requireJson, body, announce).all(refuseMethod('GET, HEAD, POST'));
  router.route('/studies/:uid').get(one).all(refuseMethod('GET, HEAD'));
  router.route('/flags').get(flagged).all(refuseMethod('GET, HEAD'));
  return router;
}

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

function presentChange({ at, state, code, cause, attempt, durationMs }: StateChange): Record<string, unknown> {
  return { at: isoTime(at), state, code, cause, attempt, durationMs };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();
