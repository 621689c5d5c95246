import { z } from 'zod';

/** `reader:` of the configuration. */

export const readerOptionsSchema = z.strictObject({
  timeoutSeconds: z.number().positive().default(30).describe('Wall time that one image may take'),
  memoryLimitMiB: z.number().int().min(256).default(1024).describe('Memory that the reader process may take'),
  threads: z.number().int().min(0).default(0).describe('Threads of the network; 0 = as many as there are cores'),
  atOnce: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Films read at the same time on the cpu, each in a process of its own under memoryLimitMiB'),
  batch: z
    .strictObject({
      max: z.int().min(1).max(64).default(8).describe('Most films in one run of the network'),
      waitMs: z.int().min(0).max(10_000).default(20).describe('Longest that a film waits for others before a run'),
    })
    .prefault({})
    .describe('Films of several studies in one run; only where provider is not cpu'),
});
