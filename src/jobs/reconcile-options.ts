import { z } from 'zod';

/** What a site sets about the slow look back at what was delivered. */
export const reconcileOptionsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Look again, slowly, at studies that are done'),
  everyHours: z
    .number()
    .positive()
    .max(24 * 30)
    .default(24)
    .describe('Time from the begin of one look to the next'),
  days: z.number().positive().max(365).default(7).describe('How long after its end a study is looked at'),
  perMinute: z.number().positive().max(600).default(6).describe('Studies looked at in a minute, at most'),
  onMissing: z
    .enum(['flag', 'deliver'])
    .default('flag')
    .describe('A result that left the PACS: flagged, or delivered again as long as its bytes are kept'),
});

export type ReconcileOptions = Readonly<z.output<typeof reconcileOptionsSchema>>;
