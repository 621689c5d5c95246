import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { asFailure, Failure } from '../../src/core/failure.ts';
import { translateErrors } from '../../src/jobs/database.ts';
import { createDiskWatch, openStore, pausedByDisk, type Store } from '../../src/jobs/index.ts';
import { makeArtifact, makeReceipt } from '../contracts/ledger.ts';
import { makeReading, makeStudyHeader, model } from '../support/readings.ts';
import { makeReadOnly, makeSmallDisk, type SmallDisk, testOnSmallDisk } from '../support/small-disk.ts';
import { makeFolder, openTracked } from './bench.ts';
import { event } from './event.ts';

const onSmallDisk = testOnSmallDisk();
const KiB = 1024;

describe('fault 68: the watch on the disk', () => {
  function watched() {
    const disk = { freeMiB: 600, now: 0 };
    const lines: unknown[] = [];
    const { isLow } = createDiskWatch({
      minFreeMiB: 512,
      freeBytes: () => disk.freeMiB * KiB * KiB,
      log: ({ event, code = null }) => lines.push([event, code]),
      now: () => disk.now,
    });
    const at = (freeMiB: number) => {
      disk.freeMiB = freeMiB;
      disk.now += 1_000;
      return isLow();
    };
    return { at, lines, disk, isLow };
  }

  test('comes at the mark and goes at a quarter more, because a disk at the mark must not make it come and go', () => {
    const { at, lines } = watched();
    expect([600, 512, 511, 530, 639, 640, 530, 511].map(at)).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(lines).toEqual([
      ['alert', 'disk-full'],
      ['disk-has-room', null],
      ['alert', 'disk-full'],
    ]);
  });

  test('keeps jobs back while the disk is low and asks again soon, because nobody rings when there is room', async () => {
    const { at } = watched();
    const disk = { low: false };
    const { queue } = openTracked(makeFolder());
    const paused = pausedByDisk(queue, { isLow: () => disk.low });
    await paused.announce(event('1.1'), 1);
    disk.low = true;
    expect(await paused.claim(1)).toBeNull();
    expect(await paused.nextDueAt()).toBeGreaterThan(Date.now());
    disk.low = false;
    expect(await paused.claim(1)).toMatchObject({ studyInstanceUid: '1.1' });
    expect(at(600)).toBe(false);
  });

  test('leaves all else of the queue as it is, because another gateway must still be heard when it makes work', async () => {
    const { queue } = openTracked(makeFolder());
    const watch = () => {};
    expect(pausedByDisk({ ...queue, watch }, { isLow: () => false }).watch).toBe(watch);
  });
});

describe('faults 68 and 69: what the system says of the disk', () => {
  test.each([
    ['ENOSPC', 'disk-full', 'transient'],
    ['EDQUOT', 'disk-full', 'transient'],
    ['EIO', 'store-failed', 'permanent'],
    ['EROFS', 'store-failed', 'permanent'],
    ['EACCES', 'store-failed', 'permanent'],
  ])('%s is %s, because room comes back by itself and a broken disk does not', (code, failure, kind) => {
    const error = Object.assign(new Error('x'), { code, syscall: 'write' });
    expect(() =>
      translateErrors('a file', () => {
        throw error;
      }),
    ).toThrow(expect.objectContaining({ code: failure, class: kind }));
  });
});

/** Thirty pages: most of what a study needs anew, since the WAL is written over from its begin after some of them. */
const pictureBytes = 120 * KiB;

/** One study from its announcement to its end; every step may find the disk full, and is then done again. */
async function runStudy(store: Store, uid: string, whenFull: () => void): Promise<number> {
  let refused = 0;
  const persist = async <T>(step: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await step();
      } catch (thrown) {
        const failure = asFailure(thrown);
        if (failure.code !== 'disk-full') throw failure;
        refused++;
        whenFull();
      }
    }
  };
  const { queue, ledger } = store;
  const reading = makeReading({ study: makeStudyHeader({ StudyInstanceUID: uid }) });
  const artifacts = [
    makeArtifact(`2.25.${uid}`, 'x'.repeat(pictureBytes)),
    makeArtifact(`2.26.${uid}`, 'y', { name: 'heatmap-1' }),
  ];
  await persist(() => queue.announce(event(uid), 1));
  const job = (await persist(() => queue.claim(1)))!;
  await persist(() => queue.advance(job, 'read', 1));
  await persist(() => ledger.recordOutcomes(job, []));
  await persist(() => ledger.record(job, reading, artifacts));
  await persist(() => ledger.receive(reading, [makeReceipt(artifacts[0]!.name)]));
  await persist(() => queue.settle(job, { state: 'done', partial: false }, 1));
  await persist(() => store.purge(0, 1));
  return refused;
}

async function expectWhole(store: Store, uid: string): Promise<void> {
  expect((await store.board.get(uid))?.job.state).toBe('done');
  const { artifacts, receipts } = (await store.ledger.latest(uid, model.id))!;
  expect(artifacts.map(({ bytes }) => bytes.length)).toEqual([pictureBytes, 1]);
  expect(receipts).toHaveLength(1);
}

describe('fault 68: the disk is full at the n-th write', () => {
  onSmallDisk(
    'of a study, for every n: the step is refused, nothing is half written, and it goes on when there is room',
    async () => {
      const disk: SmallDisk = makeSmallDisk('16m');
      const store = openStore(join(disk.path, 'state'));
      let refusals = 0;
      for (let pages = 0; pages < 60; pages++) {
        const uid = `1.${pages + 1}`;
        disk.leave(pages * 4 * KiB);
        refusals += await runStudy(store, uid, () => disk.leave(2_000 * KiB));
        await expectWhole(store, uid);
      }
      store.close();
      expect(refusals).toBeGreaterThan(20);
      const again = openStore(join(disk.path, 'state'));
      for (let pages = 0; pages < 60; pages++) await expectWhole(again, `1.${pages + 1}`);
      expect(readdirSync(join(disk.path, 'state', 'artifacts')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      again.close();
    },
  );

  onSmallDisk('of the very first start, for every n: it is refused as full, and the next one opens', () => {
    const disk = makeSmallDisk('4m');
    let refusals = 0;
    for (let pages = 0; pages < 80; pages++) {
      const folder = join(disk.path, `state-${pages}`);
      disk.leave(pages * 4 * KiB);
      try {
        openStore(folder).close();
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Failure);
        expect(thrown).toMatchObject({ code: 'disk-full' });
        refusals++;
      }
      disk.leave(1_000 * KiB);
      const store = openStore(folder);
      expect(store.start).not.toBe('damaged');
      store.close();
      rmSync(folder, { recursive: true });
    }
    expect(refusals).toBeGreaterThan(3);
  });
});

describe('fault 69: the folder became read-only', () => {
  onSmallDisk('a recording fails for good and nothing of it is there, because the process must stop', async () => {
    const folder = makeFolder();
    const store = openTracked(folder);
    await store.queue.announce(event('1.1'), 1);
    const job = (await store.queue.claim(1))!;
    const reading = makeReading({ study: makeStudyHeader({ StudyInstanceUID: '1.1' }) });
    const record = () => store.ledger.record(job, reading, [makeArtifact('2.25.1', 'x')]);
    const mend = makeReadOnly(join(folder, 'artifacts'));
    try {
      await expect(record()).rejects.toMatchObject({ code: 'store-failed', class: 'permanent' });
      expect(await store.ledger.latest('1.1', model.id)).toBeNull();
    } finally {
      mend();
    }
    expect(readdirSync(join(folder, 'artifacts'))).toEqual([]);
    expect((await record()).artifacts).toHaveLength(1);
  });
});
