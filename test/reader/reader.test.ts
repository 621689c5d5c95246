/** @jest-environment ./test/model/onnx-environment.js */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asFailure } from '../../src/core/failure.ts';
import type { NetworkEvent } from '../../src/core/provider.ts';
import { createReader, type Reader, type ReaderOptions } from '../../src/reader/index.ts';
import { residentMiB } from '../../src/reader/memory.ts';

/** The parent's side, with children that misbehave on demand. */

async function withReader<T>(options: Partial<ReaderOptions>, work: (reader: Reader) => Promise<T>): Promise<T> {
  const reader = createReader({ modelFolder: 'none', entry: resolve('test/reader/children/odd.ts'), ...options });
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => asFailure(thrown).code,
  );

/** What the odd child writes into the one value of its header. */
async function note(reader: Reader, path: string): Promise<string> {
  const header = await reader.header(path);
  return String(header['00080016']?.Value?.[0]);
}

const pidOf = async (reader: Reader): Promise<number> => Number(await note(reader, 'pid'));

/** Process ids of the children of this process. */
const children = (): readonly string[] =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');

/** Nothing is there to be sampled once a process is gone. */
const isGone = async (pid: number): Promise<boolean> => (await residentMiB(pid)) === null;

describe('a child that dies (fault 81, T7)', () => {
  test.each(['crash', 'exit'])(
    'twice on a film (%s) costs the film, and the next one is read by the spare',
    async (act) => {
      await withReader({}, async (reader) => {
        const before = await pidOf(reader);
        expect(await codeOf(reader.header(act))).toBe('reader-crashed');
        const began = Date.now();
        const after = await pidOf(reader);
        // The goal is 2 s.
        expect(Date.now() - began).toBeLessThan(20_000);
        expect(after).not.toBe(before);
        expect(await isGone(before)).toBe(true);
      });
    },
  );

  test('twice by a kill from outside, as for want of memory, costs the film and no other (fault 73)', async () => {
    await withReader({ spares: 0 }, async (reader) => {
      const began = performance.now();
      await reader.ready();
      const startMs = Math.max(100, performance.now() - began);
      const film = codeOf(reader.header('hang'));
      const killed = new Set<string>();
      while (killed.size < 2) {
        await sleep(100);
        const fresh = children().filter((pid) => pid !== '' && !killed.has(pid));
        // Not while it starts: a process that dies before it is ready has opened no film.
        await sleep(5 * startMs);
        for (const pid of fresh.slice(0, 1)) {
          process.kill(Number(pid), 'SIGKILL');
          killed.add(pid);
        }
      }
      expect(await film).toBe('reader-crashed');
      expect(await pidOf(reader)).toBeGreaterThan(0);
    });
  });

  test('once, mid-film, costs nothing: the film is asked again of a fresh child', async () => {
    await withReader({ spares: 0 }, async (reader) => {
      const before = await pidOf(reader);
      const film = note(reader, 'slow');
      await sleep(200);
      process.kill(before, 'SIGKILL');
      const after = Number(await film);
      expect(after).not.toBe(before);
      expect(after).toBeGreaterThan(0);
    });
  });

  test('while it waits is not held against the next film', async () => {
    await withReader({ spares: 0 }, async (reader) => {
      process.kill(await pidOf(reader), 'SIGKILL');
      await sleep(200);
      expect(await pidOf(reader)).toBeGreaterThan(0);
    });
  });

  test('once, before it is ready, costs nothing either: it may have been killed from outside (fault 73)', async () => {
    const before = new Set(children());
    await withReader({ spares: 0 }, async (reader) => {
      await new Promise(setImmediate);
      const [opening] = children().filter((pid) => !before.has(pid));
      expect(opening).toMatch(/^[1-9]\d*$/);
      process.kill(Number(opening), 'SIGKILL');
      expect(await note(reader, 'pid')).not.toBe(opening);
    });
  });

  test('before it is ready is the installation’s fault, because no film has been opened yet', async () => {
    await withReader({ modelFolder: 'dies-at-start', spares: 0 }, async (reader) => {
      await expect(reader.ready()).rejects.toThrow('model-unusable');
      await expect(reader.header('pid')).rejects.toThrow('start of the reader process');
    });
  });
});

describe('the limits', () => {
  test('of time end a child that hangs, within the wall time and once only (fault 82)', async () => {
    await withReader({ timeoutSeconds: 1 }, async (reader) => {
      await reader.ready();
      const began = Date.now();
      await expect(reader.header('hang')).rejects.toThrow('Expected: an answer within 1 s');
      expect(Date.now() - began).toBeLessThan(2500);
      expect(await pidOf(reader)).toBeGreaterThan(0);
    });
  });

  test('of memory end a child that hoards, which it cannot be asked to do itself', async () => {
    await withReader({ memoryLimitMiB: 400, timeoutSeconds: 25 }, async (reader) => {
      expect(await codeOf(reader.header('hog'))).toBe('reader-memory');
      expect(await pidOf(reader)).toBeGreaterThan(0);
    });
  });
});

describe('what crosses between the processes', () => {
  test('is no environment but the allocator’s setting: neither proxy, credential nor NODE_OPTIONS', async () => {
    process.env['CXR_GATEWAY__PACS__PASSWORD'] = 'secret';
    try {
      expect(await withReader({}, (reader) => note(reader, 'environment'))).toBe('{"MALLOC_TRIM_THRESHOLD_":"131072"}');
    } finally {
      delete process.env['CXR_GATEWAY__PACS__PASSWORD'];
    }
  });

  test.each(['write', 'spawn'])(
    'gives the child no right to %s, because hostile bytes may own its JavaScript',
    async (act) => {
      await withReader({}, async (reader) => expect(await note(reader, act)).toBe('ERR_ACCESS_DENIED'));
    },
  );

  test('is checked: an answer that is none counts as a crash', async () => {
    await withReader({}, async (reader) => expect(await codeOf(reader.header('nonsense'))).toBe('reader-crashed'));
  });

  test('has no prototypes: a key called __proto__ is dropped and reaches nothing', async () => {
    await withReader({}, async (reader) => {
      const header = await reader.header('polluted');
      expect(Object.keys(header)).toEqual(['00080016']);
      expect(Object.getPrototypeOf(header)).toBeNull();
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    });
  });
});

describe('a child that asks the shared network', () => {
  const shared = { provider: 'webgpu', networkEntry: resolve('test/reader/children/odd-network.ts') } as const;

  test('has its answer, or the reason why there is none', async () => {
    await withReader(shared, async (reader) => expect(await note(reader, 'tensor')).toBe('inference'));
    const refused = { ...shared, provider: 'cuda', providerFallback: 'refuse' } as const;
    await withReader(refused, async (reader) => expect(await note(reader, 'tensor')).toBe('provider-unavailable'));
  });

  test.each(['twoTensors', 'shortTensor'])(
    'by %s counts as a crash, because a film owns its child but never the network of all',
    async (act) => {
      await withReader(shared, async (reader) => {
        expect(await codeOf(reader.header(act))).toBe('reader-crashed');
        expect(await note(reader, 'tensor')).toBe('inference');
      });
    },
  );

  test('is a crash where there is none to ask', async () => {
    await withReader({}, async (reader) => expect(await codeOf(reader.header('tensor'))).toBe('reader-crashed'));
  });

  test('is not held to its time while it waits for others, and the films that wait fill the runs', async () => {
    const films: number[] = [];
    const report = (event: NetworkEvent) => void (event.kind === 'run' && films.push(event.films));
    const options = { ...shared, timeoutSeconds: 2, atOnce: 4, batch: { max: 2, waitMs: 300 }, report };
    await withReader(options, async (reader) => {
      await reader.ready();
      // Each run takes a second, so that the last ones wait for longer than one film may take.
      const asked = Array.from({ length: 8 }, () => note(reader, 'slowTensor'));
      expect(await Promise.all(asked)).toEqual(Array(8).fill('inference'));
      expect(Math.max(...films)).toBe(2);
      expect(films.length).toBeLessThan(8);
    });
  });
});

describe('turns', () => {
  test('are taken one film at a time in one child, in the order of asking', async () => {
    await withReader({ spares: 0 }, async (reader) => {
      const answers = await Promise.all(['slow', 'pid', 'pid'].map((path) => note(reader, path)));
      expect(new Set(answers).size).toBe(1);
    });
  });

  test('may be two at once in two children', async () => {
    await withReader({ spares: 0, atOnce: 2 }, async (reader) => {
      const answers = await Promise.all([note(reader, 'slow'), note(reader, 'slow')]);
      expect(new Set(answers).size).toBe(2);
    });
  });

  test('end with close: children are gone, and a later film is refused', async () => {
    const reader = createReader({ modelFolder: 'none', entry: resolve('test/reader/children/odd.ts') });
    const pid = await pidOf(reader);
    await reader.close();
    expect(await isGone(pid)).toBe(true);
    expect(await codeOf(reader.header('pid'))).toBe('internal');
  });
});
