import { setTimeout as sleep } from 'node:timers/promises';
import { type Buckets, between, cpuSeconds, secondsToReadBack, studiesPerMinute } from './end-to-end-figures.ts';
import { type BenchGateway, quietSeconds } from './end-to-end-gateway.ts';
import { type BenchHospital, type FilmMaker, send, studyOf } from './end-to-end-hospital.ts';

/** Two kinds of load: as much as the gateway takes, and studies that arrive at a steady pace. */

/** Announced and not ended, at full load: those that settle, and enough to keep every part of the gateway busy. */
export const inFlight = 12;
/** Studies of a round that count; as many as are in flight go before them and come after them. */
export const counted = 40;
export const studiesOfRound = counted + 2 * inFlight;

export interface World {
  readonly gateway: BenchGateway;
  readonly hospital: BenchHospital;
  readonly films: FilmMaker;
}

export interface FullLoad {
  readonly perMinute: number;
  /** Seconds, one a study. */
  readonly latencies: readonly number[];
  /** Milliseconds, one a question. */
  readonly health: readonly number[];
  readonly eventLoop: Buckets;
  /** Processor seconds a study; null where there is no /proc. */
  readonly cpu: { readonly gateway: number | null; readonly reader: number | null; readonly servers: number | null };
}

/** The films are in the archive before the first one is announced: sending them is not the gateway's work. */
export async function admit({ hospital, films }: World, first: number, count: number): Promise<void> {
  for (let number = first; number < first + count; number++) await send(hospital, films, number);
}

/** A new study is announced whenever one ends. Those of the begin and the end of it do not count. */
export async function runFullLoad(world: World, first: number): Promise<FullLoad> {
  const { gateway } = world;
  await admit(world, first, studiesOfRound);
  const before = { eventLoop: await gateway.eventLoop(), cpu: cpuOf(world) };
  const health = pollHealth(gateway);
  const endsAt = await announceAll(gateway, first, studiesOfRound, { atOnce: inFlight });
  const waits = await health.stop();
  const after = { eventLoop: await gateway.eventLoop(), cpu: cpuOf(world) };
  const latencies = await latenciesOf(gateway, first + inFlight, counted);
  const each = (key: keyof FullLoad['cpu']) => {
    const [from, to] = [before.cpu[key], after.cpu[key]];
    return from === null || to === null ? null : (to - from) / studiesOfRound;
  };
  return {
    perMinute: studiesPerMinute(endsAt, inFlight - 1, inFlight - 1 + counted),
    latencies,
    health: waits,
    eventLoop: between(before.eventLoop, after.eventLoop),
    cpu: { gateway: each('gateway'), reader: each('reader'), servers: each('servers') },
  };
}

/** Studies that come one after another at that pace, whatever became of those before them; gives the seconds of each. */
export async function runSteady(
  world: World,
  first: number,
  count: number,
  perMinute: number,
): Promise<readonly number[]> {
  await admit(world, first, count);
  await announceAll(world.gateway, first, count, { everyMs: 60_000 / perMinute });
  return latenciesOf(world.gateway, first, count);
}

type Pace = { readonly atOnce: number } | { readonly everyMs: number };

const giveUpAfterMs = 300_000;

/** Resolves when all have ended, with the milliseconds of each end. Raises when one ended as anything but `done`. */
async function announceAll(
  gateway: BenchGateway,
  first: number,
  count: number,
  pace: Pace,
): Promise<readonly number[]> {
  const endsAt: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let next = first;
  const announce = () => {
    if (next < first + count) gateway.announce(studyOf(next++)).catch(reject);
  };
  gateway.onEnd((state) => {
    if (state !== 'done') reject(new Error(`expected every study to be done, got ${state}`));
    endsAt.push(performance.now());
    if (endsAt.length === count) resolve();
    if ('atOnce' in pace) announce();
  });
  const timer = setTimeout(
    () => reject(new Error(`${endsAt.length} of ${count} studies ended in time`)),
    giveUpAfterMs,
  );
  const clock = 'everyMs' in pace ? setInterval(announce, pace.everyMs) : undefined;
  if ('atOnce' in pace) for (let i = 0; i < pace.atOnce; i++) announce();
  await promise.finally(() => {
    clearTimeout(timer);
    clearInterval(clock);
  });
  return endsAt;
}

async function latenciesOf(gateway: BenchGateway, first: number, count: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  for (let number = first; number < first + count; number++) {
    latencies.push(secondsToReadBack(await gateway.history(studyOf(number)), quietSeconds));
  }
  return latencies;
}

function cpuOf({ gateway, hospital }: World): FullLoad['cpu'] {
  const own = cpuSeconds(gateway.pid, 'own');
  const all = cpuSeconds(gateway.pid, 'with children');
  return {
    gateway: own,
    reader: own === null || all === null ? null : all - own,
    servers: cpuSeconds(hospital.pid, 'with children'),
  };
}

const healthEveryMs = 50;

/** Asks for `/healthz` again and again until it is stopped. */
function pollHealth(gateway: BenchGateway): { stop(): Promise<readonly number[]> } {
  let stopped = false;
  const run = async () => {
    const waits: number[] = [];
    while (!stopped) {
      const began = performance.now();
      await gateway.health();
      waits.push(performance.now() - began);
      await sleep(healthEveryMs);
    }
    return waits;
  };
  const running = run();
  return {
    stop() {
      stopped = true;
      return running;
    },
  };
}
