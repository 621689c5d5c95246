import { asFailure, Failure } from '../core/failure.ts';
import type { Provider } from '../core/provider.ts';
import { checkProvider } from '../model/golden.ts';
import { type LoadedModel, loadModel } from '../model/manifest.ts';
import { type BatchNetwork, openNetwork } from '../model/session.ts';
import { failureMessage } from './messages.ts';
import { inferenceMessage, type NetworkAnswer, type NetworkQuestion } from './network-messages.ts';
import { watchParent } from './watch-parent.ts';

/** Entry of the network process: tensors in, answers out. It meets no file but the model's, and a driver may end it. */

type Opening = Extract<NetworkQuestion, { kind: 'open' }>;

let network: BatchNetwork | null = null;

async function answer(question: NetworkQuestion): Promise<NetworkAnswer> {
  if (question.kind === 'open') return { kind: 'ready', filmMs: await open(question) };
  if (!network) throw new Failure('internal', { where: 'network process', expected: 'open before infer' });
  const films = await network.inferAll(question.tensors);
  return { kind: 'inferences', films: films.map(inferenceMessage) };
}

/** Milliseconds of one film among as many as one run takes, or null when nobody asked. */
async function open(question: Opening): Promise<number | null> {
  const model = loadModel(question.modelFolder);
  try {
    return await openOn(model, question);
  } catch (thrown) {
    throw unavailable(question.provider, thrown);
  }
}

async function openOn(model: LoadedModel, { provider, threads, batch, measure }: Opening): Promise<number | null> {
  network = await openNetwork(model, { provider, threads, batch });
  // A model without known answers is the CPU's alone: nobody could tell what a driver makes of it.
  if (provider === 'cpu' && !model.golden) return null;
  const again = await checkProvider(network, model, batch);
  if (!measure) return null;
  const began = performance.now();
  await again();
  return (performance.now() - began) / batch;
}

/** On the CPU it is the model that is at fault; elsewhere the CPU may still do. */
function unavailable(provider: Provider, thrown: unknown): Failure {
  const failure = asFailure(thrown);
  if (provider === 'cpu' || failure.code === 'provider-unavailable') return failure;
  const { where = 'the network', expected, got = 'an error' } = failure.detail;
  return new Failure('provider-unavailable', {
    where: `${provider}, ${where}`,
    ...(expected === undefined ? {} : { expected }),
    got,
    cause: failure,
  });
}

watchParent();
process.on('message', (question: NetworkQuestion) => {
  answer(question)
    .catch((thrown: unknown): NetworkAnswer => ({ kind: 'failed', failure: failureMessage(thrown) }))
    .then((reply) => process.send?.(reply));
});
