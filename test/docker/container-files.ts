import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What can be held of the container files without an engine. */

export const root = join(import.meta.dirname, '../..');
export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const healthcheck = z.strictObject({
  test: z.array(z.string()).min(2),
  interval: z.string(),
  timeout: z.string(),
  start_period: z.string(),
  retries: z.int(),
});

const service = z.strictObject({
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  image: z.string(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(['service_started', 'service_healthy']) }))
    .optional(),
  healthcheck: healthcheck.optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  restart: z.enum(['unless-stopped']).optional(),
});

/** The part of the Compose Specification that our file uses; a key that is not here is a slip. */
const composeSchema = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

export type Service = z.infer<typeof service>;
export type Compose = z.infer<typeof composeSchema>;

export const readCompose = (): Compose => composeSchema.parse(parse(read('docker/compose.yaml')));

const overlaySchema = z.strictObject({
  services: z.strictObject({
    gateway: z.strictObject({
      build: z.strictObject({ context: z.string(), dockerfile: z.string() }),
      image: z.string(),
      environment: z.record(z.string(), z.string()),
      deploy: z.strictObject({
        resources: z.strictObject({
          reservations: z.strictObject({
            devices: z.array(z.strictObject({ driver: z.string(), count: z.int(), capabilities: z.array(z.string()) })),
          }),
        }),
      }),
    }),
  }),
});

export const readCudaOverlay = (): z.infer<typeof overlaySchema> =>
  overlaySchema.parse(parse(read('docker/compose.cuda.yaml')));

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Instructions of a Dockerfile, stage by stage; continued lines joined, comments left out. */
export function readStages(path: string): readonly (readonly Instruction[])[] {
  const lines = read(path)
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const instructions = lines.flatMap((line) => {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line.trim());
    return match ? [{ name: match[1]!, text: match[2]! }] : [];
  });
  // What stands before the first FROM is a stage of its own here: only an ARG may.
  const starts = instructions.flatMap(({ name }, index) => (name === 'FROM' || index === 0 ? [index] : []));
  return starts.map((start, stage) => instructions.slice(start, starts[stage + 1]));
}
