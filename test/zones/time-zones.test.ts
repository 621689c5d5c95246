import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

interface Told {
  /** What the clock of the host shows at the first instant: whether the zone was taken. */
  readonly hostHours: number;
  readonly written: readonly {
    readonly instant: string;
    readonly offset: string | null;
    readonly date: string;
    readonly time: string;
    readonly issued: string;
    readonly days: string;
  }[];
}

async function writtenIn(TZ: string): Promise<Told> {
  const script = join(import.meta.dirname, 'written-times.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    env: { ...process.env, TZ, NODE_OPTIONS: '' },
    maxBuffer: 10_000_000,
  });
  return JSON.parse(stdout) as Told;
}

/** Instant that a Content Date and Time mean at the offset that they were written in. */
function meant({ date, time, offset }: Told['written'][number]): string {
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6, 8)];
  const [hour, minute, seconds] = [time.slice(0, 2), time.slice(2, 4), time.slice(4)];
  const zone = offset ?? '+0000';
  return new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${seconds}${zone.slice(0, 3)}:${zone.slice(3)}`,
  ).toISOString();
}

describe('fault 75: at the moments when clocks change', () => {
  test.each([
    ['Australia/Lord_Howe', 1],
    ['Asia/Kathmandu', 20],
    ['Pacific/Chatham', 3],
  ])(
    'a host in %s writes and asks what one in UTC does, because the zone of a server is nobody’s time',
    async (zone, hours) => {
      const [there, utc] = await Promise.all([writtenIn(zone), writtenIn('UTC')]);
      expect([there.hostHours, utc.hostHours]).toEqual([hours, 14]);
      expect(there.written).toEqual(utc.written);
    },
    120_000,
  );

  test('each time written means the instant of the reading, because an hour that comes twice must be told apart', async () => {
    const { written } = await writtenIn('Australia/Lord_Howe');
    expect(written).toHaveLength(50);
    for (const each of written) {
      expect(meant(each)).toBe(each.instant);
      expect(new Date(each.issued).toISOString()).toBe(each.instant);
      const [first, last] = each.days.split('-') as [string, string];
      expect(first <= each.date && each.date <= last).toBe(true);
    }
  }, 120_000);
});
