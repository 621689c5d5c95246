/** @jest-environment ./test/model/onnx-environment.js */

import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asFailure } from '../../src/core/failure.ts';
import type { NetworkEvent } from '../../src/core/provider.ts';
import { residentMiB } from '../../src/reader/memory.ts';
import { inferenceOf } from '../../src/reader/network-messages.ts';
import { type Shared, SharedNetwork, type SharedNetworkOptions } from '../../src/reader/shared-network.ts';
import { acts } from './children/odd-acts.ts';

/** The gateway's side of the network process, with processes that misbehave on demand. */

interface Bench {
  readonly network: SharedNetwork;
  readonly events: NetworkEvent[];
}

async function withNetwork<T>(options: Partial<SharedNetworkOptions>, work: (bench: Bench) => Promise<T>): Promise<T> {
  const events: NetworkEvent[] = [];
  const network = new SharedNetwork({
    ...{ entry: resolve('test/reader/children/odd-network.ts'), environment: {}, modelFolder: 'none', threads: 1 },
    ...{ asked: 'webgpu', fallback: 'cpu', batch: 4, waitMs: 50, openMs: 20_000, runMs: 10_000 },
    report: (event) => events.push(event),
    ...options,
  });
  try {
    return await work({ network, events });
  } finally {
    await network.close();
  }
}

const film = (act: keyof typeof acts) => Float32Array.of(acts[act]);
const pidOf = ({ message }: Shared): number => inferenceOf(message).features[0]!;
const togetherOf = ({ message }: Shared): number => inferenceOf(message).map.values[0]!;
const providersOf = (events: readonly NetworkEvent[]) =>
  events.flatMap((event) => (event.kind === 'provider' ? [event.used] : []));
const runsOf = (events: readonly NetworkEvent[]) =>
  events.flatMap((event) => (event.kind === 'run' ? [event.films] : []));
const failureOf = (work: Promise<unknown>) => work.then(() => null, asFailure);

describe('runs', () => {
  test('take films that come together, four at most, and each gets its own answer', async () => {
    await withNetwork({}, async ({ network, events }) => {
      await network.opened();
      const answers = await Promise.all(Array.from({ length: 6 }, () => network.infer(film('plain'))));
      expect(answers.map(togetherOf)).toEqual([4, 4, 4, 4, 2, 2]);
      expect(answers.map(({ used }) => used)).toEqual(Array(6).fill('webgpu'));
      expect(runsOf(events)).toEqual([4, 2]);
    });
  });

  test('let nobody wait on the CPU, which gains nothing by it', async () => {
    await withNetwork({ asked: 'cuda', waitMs: 60_000 }, async ({ network, events }) => {
      await network.opened();
      await Promise.all([network.infer(film('plain')), network.infer(film('plain'))]);
      expect(runsOf(events)).toEqual([1, 1]);
    });
  });
});

describe('a network process that dies', () => {
  test('once costs nothing: its films are asked again of a new one, on the same provider', async () => {
    await withNetwork({}, async ({ network, events }) => {
      const before = pidOf(await network.infer(film('plain')));
      const films = Promise.all([network.infer(film('slow')), network.infer(film('plain'))]);
      await sleep(400);
      process.kill(before, 'SIGKILL');
      const answers = await films;
      expect(new Set(answers.map(pidOf)).has(before)).toBe(false);
      expect(answers.map(({ used }) => used)).toEqual(['webgpu', 'webgpu']);
      expect(providersOf(events)).toEqual(['webgpu', 'webgpu']);
    });
  });

  test('while it waits is not held against the next film', async () => {
    await withNetwork({}, async ({ network }) => {
      process.kill(pidOf(await network.infer(film('plain'))), 'SIGKILL');
      await sleep(200);
      expect((await network.infer(film('plain'))).used).toBe('webgpu');
    });
  });

  test.each(['crash', 'nonsense', 'hang'] as const)(
    'twice on one run (%s) is given up for the CPU, for good, and says why',
    async (act) => {
      await withNetwork({ runMs: 1500 }, async ({ network, events }) => {
        expect((await network.infer(film(act))).used).toBe('cpu');
        expect((await network.infer(film('plain'))).used).toBe('cpu');
        expect(providersOf(events)).toEqual(['webgpu', 'webgpu', 'cpu']);
        const last = events.findLast((event) => event.kind === 'provider');
        expect(last).toMatchObject({ reason: expect.stringContaining('network process on webgpu') });
      });
    },
  );

  test('twice on one run refuses its films where the site wants no fall-back, and the next film asks for the provider again', async () => {
    await withNetwork({ fallback: 'refuse' }, async ({ network, events }) => {
      await network.opened();
      const failures = await Promise.all([
        failureOf(network.infer(film('crash'))),
        failureOf(network.infer(film('plain'))),
      ]);
      expect(failures.map((failure) => failure?.code)).toEqual(['provider-unavailable', 'provider-unavailable']);
      // Transient: the study comes back, and nothing is concluded from a card that is gone.
      expect(failures[0]?.class).toBe('transient');
      expect((await network.infer(film('plain'))).used).toBe('webgpu');
      expect(providersOf(events)).toEqual(['webgpu', 'webgpu', null, 'webgpu']);
    });
  });
});

describe('a provider that cannot be opened', () => {
  test('gives way to the CPU, and the reason is told', async () => {
    await withNetwork({ asked: 'cuda' }, async ({ network, events }) => {
      expect((await network.infer(film('plain'))).used).toBe('cpu');
      expect(events[0]).toEqual({
        ...{ kind: 'provider', asked: 'cuda', used: 'cpu' },
        reason: expect.stringMatching(/start of the network process on cuda.*exit code 9/),
      });
    });
  });

  test('is refused where the site wants no fall-back', async () => {
    await withNetwork({ asked: 'cuda', fallback: 'refuse' }, async ({ network, events }) => {
      expect((await failureOf(network.opened()))?.code).toBe('provider-unavailable');
      expect(providersOf(events)).toEqual([null]);
    });
  });
});

test('auto takes the fastest of those that open, kills the others and tells the times', async () => {
  await withNetwork({ asked: 'auto' }, async ({ network, events }) => {
    expect((await network.opened()).provider).toBe('webgpu');
    expect(events).toEqual([expect.objectContaining({ used: 'webgpu' })]);
    expect(events[0]).toMatchObject({
      reason: expect.stringContaining('webgpu takes 5.0 ms a film. cpu takes 20.0 ms'),
    });
  });
});

test('close ends the process, and who waits is refused', async () => {
  await withNetwork({}, async ({ network }) => {
    const pid = pidOf(await network.infer(film('plain')));
    const waiting = failureOf(network.infer(film('slow')));
    await sleep(200);
    await network.close();
    expect(await residentMiB(pid)).toBeNull();
    expect((await waiting)?.code).toBe('internal');
  });
});
