import { z } from 'zod';
import { Failure } from '../core/failure.ts';

/** How a site names a server of its own. Secrets come as text: the configuration has read the `*File` keys before. */
const secret = z.string().min(1).max(8192);
const file = z.string().min(1).optional();

export const peerOptionsSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('Base address of the server'),
  username: secret.optional().describe('User name of basic authentication'),
  password: secret.optional().describe('Password of basic authentication'),
  passwordFile: file.describe('File that holds the password'),
  token: secret.optional().describe('Bearer token'),
  tokenFile: file.describe('File that holds the bearer token'),
  caFile: file.describe(
    'PEM file of the authorities that sign the certificate of the server, instead of the built-in ones',
  ),
  timeoutSeconds: z.number().positive().max(3600).default(60).describe('Time that one request may take in all'),
  maxInFlight: z.number().int().min(1).max(64).default(2).describe('Requests at the same time'),
});

export type PeerOptions = Readonly<z.output<typeof peerOptionsSchema>>;

export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** The credentials that a site set for `where` (`pacs`, `fhir`). Raises `config-invalid` when they are half or double. */
export function credentialsOf(
  { username, password, token }: Pick<PeerOptions, 'username' | 'password' | 'token'>,
  where: string,
): Credentials {
  if (token !== undefined) {
    if (username === undefined && password === undefined) return { kind: 'bearer', token };
    throw new Failure('config-invalid', { where, expected: 'a password or a token', got: 'both' });
  }
  if (username === undefined && password === undefined) return { kind: 'none' };
  if (username !== undefined && password !== undefined) return { kind: 'basic', username, password };
  const missing = username === undefined ? 'username' : 'password';
  throw new Failure('config-invalid', { where: `${where}.${missing}`, expected: 'a value', got: 'nothing' });
}
