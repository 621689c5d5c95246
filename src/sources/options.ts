import { z } from 'zod';

/** What a site sets about how studies are found. Without a word of it, the archive is polled and the webhook is open. */
export const sourcesOptionsSchema = z.strictObject({
  qidoPoll: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Ask the archive for new studies (QIDO-RS)'),
      everySeconds: z.number().min(1).max(3600).default(10).describe('Time between two polls'),
      lookBackDays: z
        .number()
        .int()
        .min(0)
        .max(30)
        .default(2)
        .describe('Days before today whose studies each poll asks for'),
      startFrom: z
        .enum(['now', 'lookback', 'everything'])
        .default('now')
        .describe(
          'What of the studies already there at the first start is read: none, those of the look-back days, all',
        ),
      sweep: z
        .boolean()
        .default(true)
        .describe(
          'With each poll also one page of a slow walk through the whole archive, for undated and misdated studies',
        ),
      pageSize: z.number().int().min(1).max(5000).default(200).describe('Studies that one query asks for'),
      maxSeen: z
        .number()
        .int()
        .min(1000)
        .default(1_000_000)
        .describe(
          'Studies that the poll remembers; an archive with more CR and DX studies needs more, or sweep: false',
        ),
    })
    .prefault({}),
  orthancChanges: z
    .strictObject({
      orthancUrl: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          'REST root of an Orthanc whose stable studies are followed; by default none is. Same credentials as pacs',
        ),
      everySeconds: z.number().min(1).max(3600).default(5).describe('Time between two questions'),
      startFrom: z
        .enum(['now', 'everything'])
        .default('now')
        .describe('Where to begin in the changes at the first start'),
    })
    .prefault({}),
  webhook: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Take POST /api/v1/studies {"studyInstanceUid"}'),
    })
    .prefault({}),
});

export type SourcesOptions = Readonly<z.output<typeof sourcesOptionsSchema>>;
export type QidoPollOptions = SourcesOptions['qidoPoll'];
export type OrthancChangesOptions = SourcesOptions['orthancChanges'];
