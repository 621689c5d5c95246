import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import {
  assemble,
  fromEnvironment,
  fromFlags,
  type InputFault,
  nodeAt,
  overlay,
  type SchemaNode,
  unknownKey,
} from './config-input.ts';
import { Failure } from './core/failure.ts';
import { providerChoices, providerFallbacks } from './core/provider.ts';
import { precisions } from './core/reading.ts';
import { selectionOptionsSchema } from './dicom/select.ts';
import { fhirOptionsSchema } from './fhir/options.ts';
import { httpOptionsSchema } from './http/index.ts';
import { jobsOptionsSchema, reconcileOptionsSchema } from './jobs/index.ts';
import { peerOptionsSchema } from './net/options.ts';
import { sourcesOptionsSchema } from './sources/options.ts';

/**
 * The configuration: one schema, unknown keys refused, frozen. File < environment < flag.
 * The only reader of the environment.
 */

const url = z.url({ protocol: /^https?$/ });

/** What reading a film needs, with or without servers. */
const readingShape = {
  selection: selectionOptionsSchema.prefault({}),
  model: z
    .strictObject({
      id: z.string().optional().describe('Folder in models/; by default the shipped model'),
      folder: z.string().optional().describe('A folder of models that is not the one shipped'),
      precision: z
        .enum(precisions)
        .default('float32')
        .describe('int8 for a model whose folder holds int8.json, on the cpu alone: its scores are a little different'),
      operatingPoint: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe("Threshold on p(opacity); by default the model's own"),
    })
    .prefault({}),
  provider: z
    .enum(providerChoices)
    .default('cpu')
    .describe('What runs the network; auto = the fastest of cuda, webgpu and cpu that gives the known answers'),
  providerFallback: z
    .enum(providerFallbacks)
    .default('cpu')
    .describe('A provider that cannot be used: go on with the cpu, or refuse until it can'),
  allowUntrained: z.boolean().default(false).describe('Deliver results of an untrained model; each says so'),
  reader: z
    .strictObject({
      timeoutSeconds: z.number().positive().default(30).describe('Wall time that one image may take'),
      memoryLimitMiB: z.number().int().min(256).default(1024).describe('Memory that the reader process may take'),
      threads: z.number().int().min(0).default(0).describe('Threads of the network; 0 = as many as there are cores'),
      batch: z
        .strictObject({
          max: z.int().min(1).max(64).default(8).describe('Most films in one run of the network'),
          waitMs: z.int().min(0).max(10_000).default(20).describe('Longest that a film waits for others before a run'),
        })
        .prefault({})
        .describe('Films of several studies in one run; only where provider is not cpu'),
    })
    .prefault({}),
  flagSuspectedCovid: z.boolean().default(true).describe('A positive result flags suspected COVID-19'),
  reportFailures: z
    .boolean()
    .default(false)
    .describe('A study that could not be scored gets a failed-processing report'),
  heatmapMaxSide: z.number().int().min(256).max(4096).default(1024).describe('Longest side of the heat-map, pixels'),
  reducedDecoding: z
    .boolean()
    .default(false)
    .describe(
      'Decode JPEG 2000 and HTJ2K films at the size that reading needs: many times faster, scores a little different',
    ),
  procedureReported: z
    .enum(['imagingProcedure', 'plainChestRadiograph'])
    .default('imagingProcedure')
    .describe('"Procedure reported" of the SR: the generic code passes every validator, the specific one is IHE AIR'),
  timezoneOffset: z
    .string()
    .regex(/^[+-](0\d|1[0-4])[0-5]\d$/)
    .optional()
    .describe('Time zone of the site, +HHMM; by default unknown'),
};

export const configSchema = z.strictObject({
  pacs: z
    .strictObject({
      ...peerOptionsSchema.shape,
      qidoUrl: url.optional().describe('DICOMweb root of queries, if it is not pacs.url'),
      wadoUrl: url.optional().describe('DICOMweb root of retrieval, if it is not pacs.url'),
      stowUrl: url.optional().describe('DICOMweb root of storage, if it is not pacs.url'),
      results: peerOptionsSchema.optional().describe('Another archive that the results go to'),
    })
    .describe('The archive that is read from; its DICOMweb root'),
  fhir: z.strictObject({ ...peerOptionsSchema.shape, ...fhirOptionsSchema.shape }).describe('The FHIR R4 server'),
  sources: sourcesOptionsSchema.prefault({}),
  settle: z
    .strictObject({
      quietSeconds: z.number().min(0).default(5).describe('A study is read when it has not grown for so long'),
      maxMinutes: z.number().positive().default(15).describe('A study that keeps growing is read after so long'),
    })
    .prefault({}),
  ...readingShape,
  siteSecret: z.string().min(16).optional().describe('Key of all identities; by default made once, beside the store'),
  siteSecretFile: z.string().optional(),
  jobs: jobsOptionsSchema.prefault({}),
  reconcile: reconcileOptionsSchema.prefault({}),
  http: httpOptionsSchema.prefault({}),
});

export type Config = Readonly<z.output<typeof configSchema>>;

const readingSchema = z.strictObject(readingShape);
export type ReadingConfig = Readonly<z.output<typeof readingSchema>>;

/** The defaults of everything that reading a film needs: for the command `read`, which has no configuration. */
export function defaultReadingConfig(overrides: z.input<typeof readingSchema> = {}): ReadingConfig {
  return freeze(readingSchema.parse(overrides));
}

/** JSON Schema of what a person may write, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
}

export interface ConfigInput {
  readonly file: { readonly name: string; readonly text: string } | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `key.key=value`. */
  readonly flags: readonly string[];
  readonly readFile: (path: string) => string;
}

/** Reads file, environment and flags. Raises `config-invalid` with every fault found: where, expected, got. */
export function loadConfig(path: string | null, flags: readonly string[]): Config {
  const readFile = (name: string) => readText(name);
  const file = path === null ? null : { name: path, text: readFile(path) };
  return resolveConfig({ file, environment: process.env, flags, readFile });
}

/** What tells loaders and drivers of graphics cards where things are; the network's process gets these and nothing else. */
const driverVariables = [
  'LD_LIBRARY_PATH',
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'CUDA_CACHE_PATH',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
];

export function driverEnvironment(environment = process.env): Readonly<Record<string, string>> {
  return Object.fromEntries(
    driverVariables.flatMap((name): [string, string][] => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure('config-invalid', { where: path, expected: 'a readable file', got: codeOf(cause) });
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? 'an error');

export function resolveConfig({ file, environment, flags, readFile }: ConfigInput): Config {
  const schema = configJsonSchema() as SchemaNode;
  const written = file ? parseFile(file) : {};
  const fromEnv = assemble(fromEnvironment(environment), schema);
  const fromFlag = assemble(fromFlags(flags), schema);
  const merged = overlay(overlay(written, fromEnv.value), fromFlag.value);
  const faults = [...fromEnv.faults, ...fromFlag.faults];
  const parsed = configSchema.safeParse(withSecrets(merged, readFile));
  if (!parsed.success) faults.push(...parsed.error.issues.flatMap((issue) => faultsOf(issue, schema)));
  if (faults.length > 0) throw invalid(file?.name ?? 'the environment', faults);
  return freeze(parsed.data as Config);
}

function parseFile({ name, text }: { readonly name: string; readonly text: string }): unknown {
  try {
    const value = parseYaml(text) as unknown;
    const { $schema: _, ...rest } = (value ?? {}) as Record<string, unknown>;
    return rest;
  } catch (cause) {
    const line = cause instanceof YAMLParseError ? cause.linePos?.[0].line : undefined;
    const where = line === undefined ? name : `${name}, line ${line}`;
    throw new Failure('config-invalid', { where, expected: 'YAML or JSON', got: 'text that is neither' });
  }
}

/** `passwordFile: path` stands for `password: <the text of that file>`; the same for every key that ends in File beside a secret. */
const secrets = ['password', 'token', 'siteSecret'];

function withSecrets(value: unknown, readFile: ConfigInput['readFile']): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const secret = secrets.find((name) => key === `${name}File`);
    if (!secret || typeof inner !== 'string') return [[key, withSecrets(inner, readFile)]];
    // The name of the file stays: it is read again when a server refuses what it held.
    return [
      [secret, readFile(inner).trim()],
      [key, inner],
    ];
  });
  return Object.fromEntries(entries);
}

/** A zod issue in our words. Values are not repeated: one of them may be a secret. */
function faultsOf(issue: z.core.$ZodIssue, schema: SchemaNode): InputFault[] {
  const where = issue.path.join('.') || 'the configuration';
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...issue.path, key].join('.'), key, nodeAt(schema, issue.path)));
  }
  if (issue.code === 'invalid_type') return [{ where, expected: issue.expected, got: gotOf(issue.message) }];
  return [{ where, expected: issue.message.replace(/^Invalid (input|option): expected /, ''), got: 'another value' }];
}

const gotOf = (message: string): string => /received (\w+)/.exec(message)?.[1] ?? 'nothing';

function invalid(source: string, faults: readonly InputFault[]): Failure {
  const lines = faults.map(({ where, expected, got }) => `\n  ${where}: expected ${expected}; got ${got}`);
  return new Failure('config-invalid', { where: `${source}${lines.join('')}` });
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}
