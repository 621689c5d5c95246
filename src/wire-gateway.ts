import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { watchForAlerts } from './core/alert-watch.ts';
import { withoutRepeatedAlerts } from './core/alerts.ts';
import { Failure } from './core/failure.ts';
import { createFlags } from './core/flags.ts';
import type { Log } from './core/ports.ts';
import type { StudyEvent } from './core/study.ts';
import type { Marks } from './dicom/own-results.ts';
import { createStudySearch } from './dicom/qido.ts';
import {
  createGatewayMetrics,
  createHttpServer,
  createProviderStatus,
  type GatewayMetrics,
  type HttpServer,
  type ProviderStatus,
} from './http/index.ts';
import { createDiskWatch, type DiskWatch, freeBytesOf, openJobs, type Store } from './jobs/index.ts';
import { createSources, type Sources } from './sources/index.ts';
import type { ReconcileWorld, World } from './steps/index.ts';
import { providerOf, wireCore, wireModel } from './wire.ts';
import { logNotices, type Peers, rootsOf, wirePeers } from './wire-peers.ts';
import { lossDetector, sourcesFor, tellStart, wireReconcile } from './wire-recovery.ts';
import { watchPeers } from './wire-watch.ts';
import { wireWorld } from './wire-world.ts';

/** Builds the gateway over servers: store, peers, spine, sources and HTTP. */

export interface Gateway {
  readonly store: Store;
  /** Why studies must wait, or null: an untrained model needs the site's word. */
  readonly heldBack: 'model-untrained' | null;
  readonly world: World;
  readonly sources: Sources;
  readonly server: { listen(): Promise<void>; url(): string };
  /** Whether there is room for new work. */
  readonly disk: DiskWatch;
  /** Counts what the log tells. */
  readonly log: Log;
  /** What the slow look at finished studies needs. */
  readonly reconciling: Omit<ReconcileWorld, 'announce'>;
  /** Resolves when the model has given its known answer. Raises `model-unusable`. */
  readonly ready: () => Promise<void>;
  /** Rung when somebody asked for a study: whoever runs jobs listens. */
  readonly bell: { ring: () => void };
  /** Puts an announcement on the disk and counts it. */
  readonly announce: (event: StudyEvent) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the store and builds everything; starts nothing. Raises `store-locked`, `config-invalid`, `model-unusable`. */
export async function wireGateway(config: Config, stderr: Log): Promise<Gateway> {
  const model = wireModel(config);
  // The store writes the log and the metrics read the store: lines before the metrics are there are not counted.
  const observers: Log[] = [withoutRepeatedAlerts(stderr, Date.now)];
  const log: Log = (line) => {
    for (const observe of observers) observe(line);
  };
  const store = await openJobs(config.jobs, log);
  try {
    const metrics = createGatewayMetrics(store.board, Date.now);
    observers.push(metrics.observe, watchForAlerts(log, Date.now));
    tellStart(store, log);
    return await wireAround({ config, model, log, metrics, store });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Parts extends Pick<Gateway, 'store' | 'log'> {
  readonly config: Config;
  readonly model: ReturnType<typeof wireModel>;
  readonly metrics: GatewayMetrics;
}

async function wireAround({ config, model, log, metrics, store }: Parts): Promise<Gateway> {
  const stateFolder = resolve(config.jobs.stateFolder);
  const watch = watchPeers(metrics, log);
  const told = { onUnresolvedPatient: () => metrics.patientsUnresolved.add(), onNotice: logNotices(log, Date.now) };
  const peers = wirePeers(config, join(stateFolder, 'spool'), told, watch);
  const report = { ...config.fhir, wadoRoot: config.pacs.wadoUrl ?? config.pacs.url };
  const provider = createProviderStatus(providerOf(config), metrics.metrics, log, Date.now);
  const atOnce = filmsAtOnce(config);
  const core = wireCore({ config, model, selection: config.selection, report, atOnce, onNetwork: provider.report });
  const heldBack: Gateway['heldBack'] =
    model.identity.training === 'untrained' && !config.allowUntrained ? 'model-untrained' : null;
  const sources = wireSources(config, store, peers, log, core);
  const disk = wireDisk(config, log);
  const bell = { ring: () => {} };
  const announce = async (event: StudyEvent) => {
    await store.queue.announce(event, Date.now());
    metrics.announcements.add({ source: event.source });
    bell.ring();
  };
  const parts = { stateFolder, store, sources, metrics, provider, heldBack, disk, log, announce };
  const server = wireServer(config, parts);
  return {
    ...{ store, heldBack, sources, disk, log, bell, announce },
    world: await wireWorld(config, store, peers, core, log),
    reconciling: wireReconcile(store, peers, core, log),
    ready: () => core.reader.ready(),
    server: { listen: () => listen(server, stateFolder), url: () => server.url },
    async close() {
      await server.close();
      await core.reader.close();
      await Promise.all(peers.clients.map((client) => client.close()));
      await store.close();
    },
  };
}

/** On the CPU as many as the site says; for a shared network those of one run and those that gather for the next. */
const filmsAtOnce = (config: Config): number =>
  providerOf(config) === 'cpu' ? config.reader.atOnce : Math.min(config.jobs.concurrency, 2 * config.reader.batch.max);

/** The watch on the disk of the state folder. */
function wireDisk({ jobs: { stateFolder, minFreeMiB } }: Config, log: Log): DiskWatch {
  const folder = resolve(stateFolder);
  return createDiskWatch({ minFreeMiB, freeBytes: () => freeBytesOf(folder), log, now: Date.now });
}

interface ServerParts extends Pick<Gateway, 'store' | 'sources' | 'heldBack' | 'disk' | 'log' | 'announce'> {
  readonly stateFolder: string;
  readonly metrics: GatewayMetrics;
  readonly provider: ProviderStatus;
}

function wireServer(
  config: Config,
  { stateFolder, store, sources, metrics, provider, heldBack, disk, log, announce }: ServerParts,
): HttpServer {
  const { host, port, allowedHosts, token } = config.http;
  return createHttpServer({
    ...{ host, port, allowedHosts, log, metrics: metrics.metrics },
    ...{ board: store.board, history: store.history, past: store.past },
    flags: createFlags(store.memory('reconcile')),
    token: token ?? keptToken(stateFolder),
    checks: [
      { name: 'model', run: () => heldBack },
      provider.check,
      { name: 'store', run: () => store.check().then(() => null) },
      { name: 'disk', run: () => (disk.isLow() ? 'disk-full' : null) },
      { name: 'intake', run: () => intakeCheck(config, store) },
    ],
    receive: (event) => whenThereIsRoom(disk, () => receive(sources, event)),
    ask: (event) => whenThereIsRoom(disk, () => announce(event)),
    now: Date.now,
  });
}

/** Leaves the address for `runningApi`: the port may be any free one. */
async function listen(server: HttpServer, stateFolder: string): Promise<void> {
  await server.listen();
  writeFileSync(join(stateFolder, addressFile), server.url, { mode: 0o600 });
}

const addressFile = 'api-address';

/** Address and token of the gateway that holds the store of this configuration. */
export function runningApi({ jobs, http }: Config): { readonly url: string; readonly token: string } {
  const stateFolder = resolve(jobs.stateFolder);
  try {
    return { url: readFileSync(join(stateFolder, addressFile), 'utf8'), token: http.token ?? keptToken(stateFolder) };
  } catch (cause) {
    throw new Failure('store-locked', { where: 'the state folder', expected: 'a running gateway with an API', cause });
  }
}

function wireSources(
  { sources, pacs, timezoneOffset }: Config,
  store: Store,
  peers: Peers,
  log: Log,
  marks: Marks,
): Sources {
  return createSources(sourcesFor(store, sources), {
    showsLoss: lossDetector(peers, marks, log),
    searchStudies: createStudySearch({ http: peers.pacs, ...rootsOf(pacs) }),
    orthancHttp: () => peers.pacs,
    memory: (source) => store.memory(source),
    leads: (source) => store.leads(source),
    report: (source, { code, class: kind }) =>
      log({ time: new Date().toISOString(), event: 'source-failure', source, code, class: kind }),
    timezoneOffset: timezoneOffset ?? null,
    now: Date.now,
  });
}

/** A study that is refused now is told so: whoever announced it must come again. */
async function whenThereIsRoom(disk: DiskWatch, take: () => Promise<void>): Promise<void> {
  if (disk.isLow()) throw new Failure('disk-full', { retryAfterSeconds: 30 });
  await take();
}

async function receive({ webhook }: Sources, event: StudyEvent): Promise<void> {
  if (!webhook)
    throw new Failure('config-invalid', { where: 'sources.webhook.enabled', expected: 'true', got: 'false' });
  await webhook.receive(event);
}

/** Until the first poll has noted what was there, a study that arrives may count as having been there. */
async function intakeCheck({ sources: { qidoPoll } }: Config, store: Store): Promise<string | null> {
  if (!qidoPoll.enabled) return null;
  return (await store.memory('qido-poll').get('started')) === true ? null : 'intake-starting';
}

/** The API's token where the configuration has none: made once, for the owner's eyes alone. */
function keptToken(stateFolder: string): string {
  const path = join(stateFolder, 'api-token');
  try {
    writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new Failure('store-failed', { where: 'api-token', cause });
  }
  return readFileSync(path, 'utf8').trim();
}
