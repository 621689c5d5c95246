import { z } from 'zod';
import type { Examination, ExaminationRequest } from '../core/examination.ts';
import { asFailure, Failure, type FailureCode, failures } from '../core/failure.ts';
import { zones } from '../core/lungs.ts';
import type { FilmReading, FilmRequest } from '../core/ports.ts';
import type { Precision } from '../core/reading.ts';
import type { Attribute, Dataset } from '../core/study.ts';

/** All that the gateway and its reader process say to each other. One question at a time, one answer to each. */

export type Question =
  | {
      readonly kind: 'open';
      readonly modelFolder: string;
      readonly precision: Precision;
      readonly threads: number;
      /** A network in the child itself, or the gateway's, which is asked by tensor. */
      readonly network: 'own' | 'shared';
    }
  | { readonly kind: 'header'; readonly path: string }
  | { readonly kind: 'read'; readonly request: FilmRequest }
  | { readonly kind: 'examine'; readonly request: ExaminationRequest };

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'header'; readonly header: Dataset }
  | { readonly kind: 'reading'; readonly reading: ChildReading }
  | { readonly kind: 'examination'; readonly examination: Examination }
  | { readonly kind: 'failed'; readonly failure: FailureMessage };

/** Who ran the network is not for a child to say. */
export type ChildReading = Omit<FilmReading, 'provider'>;

const longestLine = 500;
/** Those of a ResNet-101. */
const mostFeatures = 2048;

/** A failure without its cause, which may hold anything. */
export interface FailureMessage {
  readonly code: FailureCode;
  readonly detail: { readonly where?: string; readonly expected?: string; readonly got?: string };
}

export function failureMessage(thrown: unknown): FailureMessage {
  const { code, detail } = asFailure(thrown);
  const { where, expected, got } = detail;
  const given = Object.entries({ where, expected, got }).filter(([, text]) => text !== undefined);
  return { code, detail: Object.fromEntries(given.map(([key, text]) => [key, text?.slice(0, longestLine)])) };
}

export const toFailure = ({ code, detail }: FailureMessage): Failure => new Failure(code, detail);

// The child has met hostile bytes: what it answers is checked like anything else that comes from outside.

const probability = z.number().min(0).max(1);
const share = z.number().gt(0).max(1);
const length = z.int().min(1).max(100_000);
const bytes = z.instanceof(Uint8Array);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const line = z.string().max(longestLine).optional();

const picture = z
  .object({ columns: length, rows: length, rgb: bytes, jpeg: bytes })
  .refine(({ columns, rows, rgb }) => rgb.byteLength === columns * rows * 3, 'rgb of columns × rows × 3 bytes');

export const mapSchema = z
  .object({ columns: length, rows: length, values: z.array(z.number().min(0)).max(10_000) })
  .refine(({ columns, rows, values }) => values.length === columns * rows, 'columns × rows values');

const reading = z.object({
  header: z.custom<Dataset>(isObject).transform(restore),
  pixelDigest: digest,
  score: probability,
  map: mapSchema,
  region: z
    .array(z.tuple([z.number().min(0), z.number().min(0)]))
    .min(4)
    .max(200),
  zone: z.enum(zones).nullable(),
  picture,
  flags: z.array(z.string().max(200)).max(1000),
});

const shortText = z.string().max(longestLine).nullable();

export const featuresSchema = z
  .instanceof(Float32Array)
  .refine(({ length }) => length >= 1 && length <= mostFeatures, `1 to ${mostFeatures} values`)
  .refine((values) => values.every(Number.isFinite), 'finite values');

const examination = z.object({
  score: probability,
  features: featuresSchema,
  map: mapSchema,
  window: z.object({ left: probability, top: probability, width: share, height: share }),
  fileDigest: digest,
  header: z.object({ ViewPosition: shortText, Manufacturer: shortText, ManufacturerModelName: shortText }).nullable(),
  picture: picture.nullable(),
});

const code = z.enum(Object.keys(failures) as [FailureCode, ...FailureCode[]]);

export const failureSchema = z.object({ code, detail: z.object({ where: line, expected: line, got: line }) });

const answerSchema: z.ZodType<Answer> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('header'), header: z.custom<Dataset>(isObject).transform(restore) }),
  z.object({ kind: z.literal('reading'), reading }),
  z.object({ kind: z.literal('examination'), examination }),
  z.object({ kind: z.literal('failed'), failure: failureSchema }),
]) as z.ZodType<Answer>;

/** The answer, or null when it is none of these. */
export function parseAnswer(message: unknown): Answer | null {
  return answerSchema.safeParse(message).data ?? null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Crossing between processes loses the null prototypes of a data set and of its items; keys that are no tags are dropped. */
function restore(dataset: object): Dataset {
  const tags = Object.entries(dataset).filter(([tag, attribute]) => /^[0-9A-F]{8}$/.test(tag) && isObject(attribute));
  const restored = tags.map(([tag, attribute]) => [tag, restoreAttribute(attribute as Attribute)] as const);
  return Object.assign(Object.create(null), Object.fromEntries(restored)) as Dataset;
}

function restoreAttribute(attribute: Attribute): Attribute {
  if (attribute.vr !== 'SQ' || !attribute.Value) return attribute;
  return { ...attribute, Value: attribute.Value.map((item) => (isObject(item) ? restore(item) : item)) };
}
