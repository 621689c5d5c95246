import type { Credentials } from './options.ts';

/** The credentials of one server, and their renewal when it refuses them. */
export interface Login {
  /** Value of the Authorization header; null: none is sent. */
  authorization(): string | null;
  /** Whether there are others now than those that were refused. Who asks at the same time shares one look (fault 25). */
  renew(refused: string | null): Promise<boolean>;
}

/** @param renew the credentials as they are kept now, a file that was written anew; null: there is nothing else to look at */
export function createLogin(
  credentials: Credentials,
  renew: () => Promise<Credentials | null> = async () => null,
): Login {
  let current = authorizationOf(credentials);
  let looking: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const found = await renew().catch(() => null);
    if (found) current = authorizationOf(found);
  };
  return {
    authorization: () => current,
    async renew(refused) {
      if (current !== refused) return true;
      looking ??= look().finally(() => {
        looking = null;
      });
      await looking;
      return current !== refused;
    },
  };
}

function authorizationOf(credentials: Credentials): string | null {
  if (credentials.kind === 'none') return null;
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`;
}
