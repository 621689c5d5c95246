import type { Log } from './ports.ts';

/** Certificates of servers that end soon: a metric, and an alert 30, 7 and 1 days before (fault 34). */
export interface CertificateWatch {
  /** @param validUntil milliseconds since 1970 */
  seen(peer: string, validUntil: number): void;
  /** Days that the certificate last seen of each server is still valid; negative when it has ended. */
  daysLeft(): readonly { readonly peer: string; readonly days: number }[];
}

const alertDays = [1, 7, 30];
const dayMs = 86_400_000;

interface Seen {
  readonly validUntil: number;
  /** The smallest of `alertDays` that was told of this certificate. */
  readonly told: number;
}

/** @param now milliseconds since 1970 */
export function createCertificateWatch(log: Log, now: () => number): CertificateWatch {
  const peers = new Map<string, Seen>();
  const daysOf = (validUntil: number): number => (validUntil - now()) / dayMs;
  return {
    seen(peer, validUntil) {
      const known = peers.get(peer);
      const told = known?.validUntil === validUntil ? known.told : Number.POSITIVE_INFINITY;
      const days = daysOf(validUntil);
      const reached = alertDays.find((limit) => days <= limit) ?? Number.POSITIVE_INFINITY;
      peers.set(peer, { validUntil, told: Math.min(told, reached) });
      if (reached >= told) return;
      const time = new Date(now()).toISOString();
      log({ time, event: 'alert', code: 'certificate-ends', source: peer, days: Math.floor(days) });
    },
    daysLeft: () => [...peers].map(([peer, { validUntil }]) => ({ peer, days: daysOf(validUntil) })),
  };
}
