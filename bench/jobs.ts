import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StudyEvent } from '../src/core/study.ts';
import { openStore, type Store } from '../src/jobs/index.ts';
import { median } from './measure.ts';
import type { Report, Row } from './table.ts';

/** The job store with the durability of the product: SQLite, WAL, synchronous=FULL. */

const pageOfStudies = 1000;
const singles = 200;

const eventOf = (number: number): StudyEvent => ({
  studyInstanceUid: `2.25.${number}`,
  source: 'bench',
  priority: 'routine',
});

interface Round {
  readonly page: number;
  readonly single: number;
  readonly claim: number;
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (count * 1000) / (performance.now() - began);
}

async function drain({ queue }: Store): Promise<void> {
  for (let job = await queue.claim(1); job; job = await queue.claim(1)) {
    await queue.settle(job, { state: 'done', partial: false }, 1);
  }
}

async function oneRound(): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-'));
  const store = openStore(folder);
  try {
    const page = await perSecond(pageOfStudies, async () => {
      await Promise.all(Array.from({ length: pageOfStudies }, (_, i) => store.queue.announce(eventOf(i), 0)));
    });
    const single = await perSecond(singles, async () => {
      for (let i = 0; i < singles; i++) await store.queue.announce(eventOf(pageOfStudies + i), 0);
    });
    const claim = await perSecond(pageOfStudies + singles, () => drain(store));
    return { page, single, claim };
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function benchJobs(rounds: number): Promise<readonly Report[]> {
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) all.push(await oneRound());
  const row = (what: string, key: keyof Round): Row => ({
    id: key,
    what,
    value: median(all.map((each) => each[key])),
    unit: 'a second',
  });
  const about = 'A new store in the temporary folder; every commit is synced to its disk before it counts.';
  return [
    {
      name: 'jobs',
      about,
      rows: [
        row(`announcements, a page of ${pageOfStudies} at once`, 'page'),
        row('announcements, one after another', 'single'),
        row('claim and settlement of a job', 'claim'),
      ],
    },
  ];
}
