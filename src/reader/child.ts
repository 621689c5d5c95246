import { once } from 'node:events';
import { Failure } from '../core/failure.ts';
import { checkGolden } from '../model/golden.ts';
import { loadModel } from '../model/manifest.ts';
import { type Network, openNetwork } from '../model/session.ts';
import { examineFile } from './examine.ts';
import { readFilm, readHeader } from './film.ts';
import type { ReadingRoom } from './look.ts';
import { type Answer, failureMessage, type Question } from './messages.ts';
import { type InferenceMessage, inferenceOf, type TensorMessage } from './network-messages.ts';
import { watchParent } from './watch-parent.ts';

/** Entry of the child process. It meets hostile bytes: it has no environment, no credentials, and it may die. */

let room: ReadingRoom | null = null;

async function answer(question: Question): Promise<Answer> {
  switch (question.kind) {
    case 'open':
      room = await open(question);
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

async function open({
  modelFolder,
  precision,
  threads,
  network: where,
}: Extract<Question, { kind: 'open' }>): Promise<ReadingRoom> {
  const model = loadModel(modelFolder, precision);
  const network = where === 'shared' ? sharedNetwork : await openNetwork(model, { threads });
  if (where === 'own' && model.golden) await checkGolden(network, model.manifest, model.golden);
  // The session has its own copy: the file's bytes would only count against the memory limit.
  return { model: { ...model, weights: new Uint8Array() }, network };
}

/** The gateway's network, which several children share. */
const sharedNetwork: Network = {
  async infer(tensor) {
    process.send?.({ kind: 'tensor', tensor } satisfies TensorMessage);
    const [reply] = (await once(process, 'message')) as [InferenceMessage];
    return inferenceOf(reply);
  },
  close: async () => {},
};

/** Bytes beside V8's heap that may stay until V8 sees to them itself. */
const tolerableBytes = 32 * 1024 * 1024;

/**
 * What a film leaves must not count against the next one's memory limit, so more than that goes at once. After a small picture, or
 * a film of 5 megapixels whose arrays were let go (some 23 MB are left), nothing is collected: a forced collection takes 12 ms and
 * more, and throws compiled code away, which took 40 ms a picture.
 */
function dropGarbage(): void {
  if (process.memoryUsage().arrayBuffers > tolerableBytes) globalThis.gc?.();
}

watchParent();
process.on('message', (message: Question | InferenceMessage) => {
  if (message.kind === 'inference' || message.kind === 'failed') return;
  answer(message)
    .catch((thrown: unknown): Answer => ({ kind: 'failed', failure: failureMessage(thrown) }))
    .then((reply) => process.send?.(reply, dropGarbage));
});
