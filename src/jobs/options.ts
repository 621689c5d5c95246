import { z } from 'zod';
import type { RetryRules } from './backoff.ts';

/** `jobs:` of the configuration. */

const shape = {
  kind: z
    .enum(['sqlite', 'postgres'])
    .default('sqlite')
    .describe('sqlite: one gateway, no server; postgres: several gateways share the work'),
  url: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('Of the PostgreSQL database: postgresql://user@host:5432/database, with ?sslmode=verify-full for TLS'),
  password: z.string().min(1).optional().describe('Of the PostgreSQL user'),
  passwordFile: z.string().optional(),
  stateFolder: z
    .string()
    .min(1)
    .default('cxr-gateway-state')
    .describe('Folder of the job store, its artifacts and the site secret; made with mode 0700'),
  concurrency: z.int().min(1).max(64).default(2).describe('Studies under way at the same time'),
  orderPriority: z
    .boolean()
    .default(true)
    .describe('Ask the FHIR server once for the priority of the order of each study'),
  retryHours: z
    .number()
    .min(0)
    .max(24 * 30)
    .default(72)
    .describe('How long a study that fails is tried again before it is dead'),
  longestPauseSeconds: z
    .number()
    .min(1)
    .max(3600)
    .default(600)
    .describe('Longest pause between two tries of a study that fails; a server that asks for more is given it'),
  retentionDays: z
    .number()
    .min(0)
    .max(3650)
    .default(7)
    .describe('How long the bytes of delivered artifacts are kept after the study ended'),
  minFreeMiB: z
    .number()
    .min(0)
    .default(512)
    .describe(
      'Room on the disk of the state folder below which nothing new is taken in; 0 = as long as anything can be written',
    ),
  onDamage: z
    .enum(['recover', 'stop'])
    .default('recover')
    .describe('A damaged SQLite store: set aside and rebuilt out of PACS and FHIR server, or refused with exit 74'),
};

export const jobsOptionsSchema = z.strictObject(shape).superRefine(({ kind, url }, context) => {
  if (kind !== 'postgres' || url !== undefined) return;
  const message = 'the URL of the database, since jobs.kind is postgres';
  context.addIssue({ code: 'custom', path: ['url'], message });
});

export type JobsOptions = z.output<typeof jobsOptionsSchema>;

/** How a site wants failed studies tried again. */
export function retryRules({
  retryHours,
  longestPauseSeconds,
}: Pick<JobsOptions, 'retryHours' | 'longestPauseSeconds'>): RetryRules {
  return {
    retryWindowMs: retryHours * 3_600_000,
    longestPauseMs: longestPauseSeconds * 1_000,
    random: Math.random,
  };
}
