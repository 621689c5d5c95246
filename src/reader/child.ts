import { Worker } from 'node:worker_threads';
import { Failure } from '../core/failure.ts';
import { checkGolden } from '../model/golden.ts';
import { loadModel } from '../model/manifest.ts';
import { openNetwork } from '../model/session.ts';
import { examineFile } from './examine.ts';
import { readFilm, readHeader } from './film.ts';
import type { ReadingRoom } from './look.ts';
import { type Answer, failureMessage, type Question } from './messages.ts';

/** Entry of the child process. It meets hostile bytes: it has no environment, no credentials, and it may die. */

let room: ReadingRoom | null = null;

async function answer(question: Question): Promise<Answer> {
  switch (question.kind) {
    case 'open':
      room = await open(question.modelFolder, question.threads);
      return { kind: 'ready' };
    case 'header':
      return { kind: 'header', header: readHeader(question.path) };
    case 'read':
      return { kind: 'reading', reading: await readFilm(question.request, opened()) };
    case 'examine':
      return { kind: 'examination', examination: await examineFile(question.request, opened()) };
  }
}

function opened(): ReadingRoom {
  if (!room) throw new Failure('internal', { where: 'reader', expected: 'open before read' });
  return room;
}

async function open(modelFolder: string, threads: number): Promise<ReadingRoom> {
  const model = loadModel(modelFolder);
  const network = await openNetwork(model, { threads });
  if (model.golden) await checkGolden(network, model.manifest, model.golden);
  // The session has its own copy: the file's bytes would only count against the memory limit.
  return { model: { ...model, weights: new Uint8Array() }, network };
}

/** A child that hangs in native code never hears that its parent is gone; a thread beside it does. */
function watchParent(): void {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  new Worker(new URL(`./watchdog.${extension}`, import.meta.url), { workerData: process.ppid }).unref();
}

// After each answer the garbage goes at once: a film of 100 MB must not count against the next one's memory limit.
watchParent();
process.on('disconnect', () => process.exit(0));
process.on('message', (question: Question) => {
  answer(question)
    .catch((thrown: unknown): Answer => ({ kind: 'failed', failure: failureMessage(thrown) }))
    .then((reply) => process.send?.(reply, () => globalThis.gc?.()));
});
