import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import type { Provider } from '../core/provider.ts';
import { inputSide } from '../model/preprocess-steps.ts';
import type { Inference } from '../model/session.ts';
import {
  type FailureMessage,
  failureMessage,
  failureSchema,
  featuresSchema,
  mapSchema,
  toFailure,
} from './messages.ts';

/** What is said of tensors: between the gateway and its network process, and by a child that has no network of its own. */

export type NetworkQuestion =
  | {
      readonly kind: 'open';
      readonly modelFolder: string;
      readonly provider: Provider;
      readonly threads: number;
      /** Most films in one run. */
      readonly batch: number;
      /** Whether to take the time of a run. */
      readonly measure: boolean;
    }
  | { readonly kind: 'infer'; readonly tensors: readonly Float32Array[] };

/** One film's answer: what the network says of it, or why it says nothing. */
export type InferenceMessage =
  | { readonly kind: 'inference'; readonly inference: Inference }
  | { readonly kind: 'failed'; readonly failure: FailureMessage };

export type NetworkAnswer =
  | { readonly kind: 'ready'; readonly filmMs: number | null }
  | { readonly kind: 'inferences'; readonly films: readonly InferenceMessage[] }
  | { readonly kind: 'failed'; readonly failure: FailureMessage };

/** What a child without a network asks the gateway; the answer is an `InferenceMessage`. */
export interface TensorMessage {
  readonly kind: 'tensor';
  readonly tensor: Float32Array;
}

export function inferenceMessage(answer: Inference | Failure): InferenceMessage {
  if (answer instanceof Failure) return { kind: 'failed', failure: failureMessage(answer) };
  return { kind: 'inference', inference: answer };
}

/** Raises the failure in it. */
export function inferenceOf(message: InferenceMessage): Inference {
  if (message.kind === 'failed') throw toFailure(message.failure);
  return message.inference;
}

const probability = z.number().min(0).max(1);

const failed = z.object({ kind: z.literal('failed'), failure: failureSchema });
const inference = z.object({
  kind: z.literal('inference'),
  inference: z.object({
    probabilities: z.tuple([probability, probability]),
    map: mapSchema,
    features: featuresSchema,
  }),
});
const inferenceSchema = z.discriminatedUnion('kind', [inference, failed]);

const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), filmMs: z.number().min(0).nullable() }),
  z.object({ kind: z.literal('inferences'), films: z.array(inferenceSchema) }),
  failed,
]) as z.ZodType<NetworkAnswer>;

/** Numbers of a film for the network. */
export const tensorLength = 3 * inputSide * inputSide;

const tensorSchema: z.ZodType<TensorMessage> = z.strictObject({
  kind: z.literal('tensor'),
  tensor: z.instanceof(Float32Array).refine(({ length }) => length === tensorLength, `${tensorLength} values`),
});

/** The answer of the network process, or null when it is none. */
export const parseNetworkAnswer = (message: unknown): NetworkAnswer | null =>
  answerSchema.safeParse(message).data ?? null;

/** The tensor that a child asks about, or null when its message is no such question. */
export const parseTensor = (message: unknown): Float32Array | null =>
  tensorSchema.safeParse(message).data?.tensor ?? null;
