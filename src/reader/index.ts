import type { ChildProcess } from 'node:child_process';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Examination, ExaminationRequest } from '../core/examination.ts';
import { Failure } from '../core/failure.ts';
import type { FilmReader } from '../core/ports.ts';
import { type Ending, exchange, startChild } from './exchange.ts';
import { type Answer, type Question, toFailure } from './messages.ts';
import { Pool } from './pool.ts';

/** The reader: films are read in child processes that may die without hurting the gateway. */

export interface ReaderOptions {
  readonly modelFolder: string;
  /** Wall time that one film may take. */
  readonly timeoutSeconds?: number;
  /** Resident memory of a child, the model included. */
  readonly memoryLimitMiB?: number;
  /** Threads of the network in each child. */
  readonly threads?: number;
  /** Wall time from the start of a child until its model has given its known answer. */
  readonly openSeconds?: number;
  /** Films read at the same time, each in a child of its own. */
  readonly atOnce?: number;
  /** Warm children that take over when one dies. */
  readonly spares?: number;
  /** Another program for the children, for tests. */
  readonly entry?: string;
}

export interface Reader extends FilmReader {
  /** Resolves when a child is open. Raises `model-unusable`, with the check that failed. */
  ready(): Promise<void>;
  /** Score and features of a DICOM film, a JPEG or a PNG. Raises as `read` does. */
  examine(request: ExaminationRequest): Promise<Examination>;
}

const defaults = { timeoutSeconds: 30, memoryLimitMiB: 1024, threads: 1, openSeconds: 60, atOnce: 1, spares: 1 };

/** Beside this file, in TypeScript or compiled. */
const childEntry = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));

/** Times a question is put to a child before its deaths are held against the film. */
const attempts = 2;

export function createReader(options: ReaderOptions): Reader {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = { ...defaults, entry: childEntry, ...(given as ReaderOptions) };
  const { timeoutSeconds, memoryLimitMiB, threads, openSeconds, atOnce, spares, entry } = settings;
  const modelFolder = resolve(settings.modelFolder);
  const pool = new Pool({
    atOnce,
    spares,
    start: () => startChild(entry),
    open: (child) => open(child, { kind: 'open', modelFolder, threads }, openSeconds * 1000, memoryLimitMiB),
  });

  const ask = async (question: Question): Promise<Answer> => {
    for (let attempt = 1; ; attempt++) {
      const child = await pool.take();
      const ending = await exchange(child, question, { timeoutMs: timeoutSeconds * 1000, memoryLimitMiB });
      pool.give(child);
      if (ending.kind === 'answer') return ending.answer;
      if (ending.kind !== 'died' || attempt === attempts) throw failureOf(ending, timeoutSeconds, memoryLimitMiB);
    }
  };
  return {
    ready: async () => pool.give(await pool.take()),
    header: async (path) => expectAnswer(await ask({ kind: 'header', path }), 'header').header,
    read: async (request) => expectAnswer(await ask({ kind: 'read', request }), 'reading').reading,
    examine: async (request) => expectAnswer(await ask({ kind: 'examine', request }), 'examination').examination,
    close: () => pool.close(),
  };
}

/** A child that cannot be opened is the model's fault or the installation's, never a film's. */
async function open(child: ChildProcess, question: Question, timeoutMs: number, memoryLimitMiB: number): Promise<void> {
  const ending = await exchange(child, question, { timeoutMs, memoryLimitMiB });
  if (ending.kind === 'answer') {
    expectAnswer(ending.answer, 'ready');
    return;
  }
  const got = failureOf(ending, timeoutMs / 1000, memoryLimitMiB).message;
  throw new Failure('model-unusable', { where: 'start of the reader process', expected: 'a model that opens', got });
}

function expectAnswer<K extends Answer['kind']>(answer: Answer, kind: K): Extract<Answer, { kind: K }> {
  if (answer.kind === 'failed') throw toFailure(answer.failure);
  if (answer.kind === kind) return answer as Extract<Answer, { kind: K }>;
  throw new Failure('internal', { where: 'answer of the reader process', expected: kind, got: answer.kind });
}

function failureOf(
  ending: Exclude<Ending, { kind: 'answer' }>,
  timeoutSeconds: number,
  memoryLimitMiB: number,
): Failure {
  const where = 'reader process';
  switch (ending.kind) {
    case 'died':
      return new Failure('reader-crashed', { where, got: ending.how });
    case 'timeout':
      return new Failure('reader-timeout', { where, expected: `an answer within ${timeoutSeconds} s` });
    case 'memory': {
      const got = `${Math.round(ending.mebibytes)} MiB`;
      return new Failure('reader-memory', { where, expected: `at most ${memoryLimitMiB} MiB`, got });
    }
  }
}
