import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { deviceUid, sha256 } from '../core/ids.ts';
import type { ModelIdentity, Precision } from '../core/reading.ts';
import { goldenSchema } from './golden.ts';
import { type Int8, int8File, int8Schema } from './int8-file.ts';
import { toInt8Graph } from './int8-graph.ts';
import { decodeModel, readOpsets } from './onnx-schema.ts';
import { describeSteps, inputSide, stepsSchema } from './preprocess-steps.ts';
import { headInitializers, tuneHead } from './replace-head.ts';

/** `models/<id>/model.json`: what a model is called, what it eats, what it answers, and the digest of its weights. */

/** Side of the last feature map of a ResNet at 224 × 224, cells. */
export const mapSide = 7;

const shortText = z.string().trim().min(1).max(64);
const plainFile = z.string().regex(/^[\w][\w.-]*$/, 'a file name without a path');

export const manifestSchema = z.strictObject({
  /** Equal to the name of the folder. */
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'lower-case letters, digits, dots and hyphens'),
  manufacturer: shortText,
  name: shortText,
  version: shortText,
  training: z.enum(['trained', 'untrained']),
  intendedUse: z.string().trim().min(1).max(1024),
  weights: z.strictObject({ file: plainFile, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** Version of the default ONNX operator set that the graph asks for. */
  opset: z.int().min(13).max(30),
  input: z.strictObject({
    name: z.string().min(1),
    shape: z.tuple([z.literal(1), z.literal(3), z.literal(inputSide), z.literal(inputSide)]),
  }),
  outputs: z.strictObject({
    /** p(none), p(opacity). */
    probabilities: z.strictObject({ name: z.string().min(1), shape: z.tuple([z.literal(1), z.literal(2)]) }),
    /** ReLU(Σ(w1−w0)ₖAₖ) at the last feature map. */
    map: z.strictObject({
      name: z.string().min(1),
      shape: z.tuple([z.literal(1), z.literal(1), z.literal(mapSide), z.literal(mapSide)]),
    }),
    /** Average of the last feature map; 2,048 wide in a ResNet-101. */
    features: z.strictObject({
      name: z.string().min(1),
      shape: z.tuple([z.literal(1), z.int().min(1).max(2048)]),
    }),
  }),
  classes: z.tuple([z.literal('none'), z.literal('opacity')]),
  preprocess: stepsSchema,
  /** Threshold on p(opacity) that the makers of the model recommend. */
  operatingPoint: z.number().gt(0).lt(1),
  /** Map value that is drawn in the deepest red: fixed, so that a normal film stays cold. */
  heat: z.strictObject({ max: z.number().positive() }),
  /** File with known answers; the first is asked whenever the model is started. */
  golden: plainFile.optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;

export interface LoadedModel {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly identity: ModelIdentity;
  /** For the runtime: the very bytes whose digest was checked, or the 8-bit network that was made of them. */
  readonly weights: Uint8Array;
  /** Of the network at this precision. */
  readonly golden: z.infer<typeof goldenSchema> | null;
}

/**
 * Reads a model folder and checks it: manifest, file, sha256, operator set, known answers' form; for int8 its `int8.json` too.
 * Raises `model-unusable`, whose `where` names the check that failed. The graph itself is checked by `openNetwork`.
 */
export function loadModel(folder: string, precision: Precision = 'float32'): LoadedModel {
  const manifest = readJson(folder, 'model.json', manifestSchema);
  check('model.json id', basename(resolve(folder)), manifest.id);
  const weights = readPart(folder, manifest.weights.file);
  check(`${manifest.weights.file} sha256`, manifest.weights.sha256, sha256(weights));
  check(`${manifest.weights.file} opset`, String(manifest.opset), readOpset(weights, manifest.weights.file));
  const golden = manifest.golden === undefined ? null : readJson(folder, manifest.golden, goldenSchema);
  if (precision === 'float32') return { folder, manifest, identity: identityOf(manifest), weights, golden };
  const int8 = readJson(folder, int8File, int8Schema);
  check(`${int8File} weights`, manifest.weights.sha256, int8.weights);
  const identity = int8IdentityOf(manifest, int8);
  return { folder, manifest, identity, weights: int8Network(weights, manifest.outputs, int8), golden: int8.golden };
}

/** The 8-bit network of stored weights, its last layer tuned to the float network's scores. */
export function int8Network(
  weights: Uint8Array,
  outputs: Manifest['outputs'],
  { activations, logit }: Pick<Int8, 'activations' | 'logit'>,
): Uint8Array {
  const kept = headInitializers(decodeModel(weights).graph, outputs);
  return tuneHead(toInt8Graph(weights, kept, activations), outputs, logit);
}

export function identityOf(manifest: Manifest): ModelIdentity {
  const { id, manufacturer, name, version, training, intendedUse } = manifest;
  return {
    id,
    manufacturer,
    name,
    version,
    sha256: manifest.weights.sha256,
    precision: 'float32',
    deviceUid: deviceUid(manifest.weights.sha256),
    training,
    preprocessing: describeSteps(manifest.preprocess),
    intendedUse,
  };
}

/** Another device, because its scores are others: what it is made of is the weights and the way they are used. */
function int8IdentityOf(manifest: Manifest, { activations, logit }: Int8): ModelIdentity {
  const way = sha256(JSON.stringify([activations, logit]));
  return {
    ...identityOf(manifest),
    precision: 'int8',
    deviceUid: deviceUid(`${manifest.weights.sha256}\nint8\n${way}`),
  };
}

function check(where: string, expected: string, got: string): void {
  if (expected !== got) throw new Failure('model-unusable', { where, expected, got });
}

function readPart(folder: string, file: string): Buffer {
  try {
    return readFileSync(join(folder, file));
  } catch (cause) {
    throw new Failure('model-unusable', { where: file, expected: 'a readable file in the model folder', cause });
  }
}

function readJson<T>(folder: string, file: string, schema: z.ZodType<T>): T {
  const text = readPart(folder, file).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure('model-unusable', { where: file, expected: 'JSON', cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = [file, ...(issue?.path ?? [])].join(' ');
  throw new Failure('model-unusable', { where, expected: issue?.message ?? 'a valid manifest' });
}

function readOpset(weights: Uint8Array, file: string): string {
  try {
    return String(readOpsets(weights).get('') ?? 'none');
  } catch (cause) {
    throw new Failure('model-unusable', { where: `${file} opset`, expected: 'an ONNX model', cause });
  }
}
