import type { Log } from './ports.ts';

/**
 * One incident a cause (fault 101): lines `event: alert` of one cause go through once in a quarter of an hour, all other lines as
 * they are. The cause is the line's `code`, with its `source` or `destination` where it has one. The line that goes through
 * after a quiet quarter of an hour tells in `repeated` how many were held back since the one before.
 */
export const alertEveryMs = 15 * 60_000;

/** Causes are few; a fault of ours that makes many must not fill the memory. */
const mostCauses = 1_000;

interface Incident {
  /** When its last line went through, milliseconds since 1970. */
  readonly toldAt: number;
  readonly heldBack: number;
}

/** @param now milliseconds since 1970; a clock that was set back tells the alert again rather than never. */
export function withoutRepeatedAlerts(log: Log, now: () => number): Log {
  const incidents = new Map<string, Incident>();
  return (line) => {
    if (line.event !== 'alert') {
      log(line);
      return;
    }
    const cause = causeOf(line);
    const known = incidents.get(cause);
    const sinceMs = now() - (known?.toldAt ?? Number.NEGATIVE_INFINITY);
    if (known && sinceMs >= 0 && sinceMs < alertEveryMs) {
      incidents.set(cause, { ...known, heldBack: known.heldBack + 1 });
      return;
    }
    incidents.delete(cause);
    if (incidents.size >= mostCauses) incidents.delete(incidents.keys().next().value!);
    incidents.set(cause, { toldAt: now(), heldBack: 0 });
    log(known?.heldBack ? { ...line, repeated: known.heldBack } : line);
  };
}

/** An alert of one study is the same incident as that of the next: the API names the studies. */
function causeOf({ code, source = null, destination = null }: Parameters<Log>[0]): string {
  return JSON.stringify([code ?? null, source, destination]);
}
