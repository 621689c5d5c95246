import { z } from 'zod';
import { isLoopback } from './auth.ts';

export const httpOptionsSchema = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
    port: z.int().min(0).max(65_535).default(8088).describe('Port to listen on; 0 = any free one'),
    token: z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/, 'at least 16 printable ASCII characters without spaces')
      .optional()
      .describe('Bearer token of the API; by default made at the first start, in the state folder'),
    tokenFile: z.string().optional().describe('File that holds the token'),
    allowedHosts: z
      .array(z.string().regex(/^[A-Za-z0-9.-]+$|^\[[0-9a-fA-F:]+\]$/, 'host names without scheme and port'))
      .default([])
      .describe('Names under which others reach the gateway; loopback names are always allowed'),
    behindProxy: z
      .boolean()
      .default(false)
      .describe('Something before the gateway ends TLS, or its network is private; needed to listen beyond loopback'),
  })
  .refine(({ host, behindProxy }) => isLoopback(host) || behindProxy, {
    path: ['behindProxy'],
    error: 'true, because the API speaks plain HTTP and http.host is not a loopback address',
  });

export type HttpOptions = Readonly<z.output<typeof httpOptionsSchema>>;
