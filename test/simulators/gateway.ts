import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asFailure, Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import type { FilmReader, Job, JobState } from '../../src/core/ports.ts';
import { text } from '../../src/dicom/dataset.ts';
import { describe as describeHeader } from '../../src/dicom/header.ts';
import { createPacs, createPacsDestination } from '../../src/dicom/pacs.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { createSelectionRules, select } from '../../src/dicom/select.ts';
import { fhirOptionsSchema } from '../../src/fhir/options.ts';
import { proceduresSchema } from '../../src/fhir/procedures.ts';
import { createFhirDestination } from '../../src/fhir/server.ts';
import { openStore } from '../../src/jobs/index.ts';
import { settlementOf } from '../../src/jobs/runner.ts';
import { createOutputs } from '../../src/outputs/index.ts';
import { readStudy, type stepNames } from '../../src/pipeline.ts';
import { createSteps, type World } from '../../src/steps/index.ts';
import { codes, gateway } from '../dicom/results.ts';
import { makeHttp } from '../net/peer.ts';
import { makePicture, model, settings } from '../support/readings.ts';
import type { SimulatedArchive } from './archive.ts';
import type { SimulatedFhir } from './fhir.ts';

/**
 * A gateway over simulators on a virtual clock: store, spine, PACS, FHIR and composers are the real ones; the reader gives a fixed score
 * to whatever film it gets. Every wait is the clock set forward, so that three days take a second.
 */

export type StepName = (typeof stepNames)[number];

export interface GatewayOptions {
  readonly archive: SimulatedArchive;
  readonly fhir: SimulatedFhir;
  /** Where results go; the archive itself when absent. */
  readonly results?: SimulatedArchive;
  readonly siteSecret?: string;
  /** Told before each step of a run. */
  readonly onStep?: (step: StepName, job: Job) => void;
}

export interface Gateway {
  readonly time: { ms: number };
  announce(studyInstanceUid: string): Promise<void>;
  /** Runs what is due until nothing waits, or waits for later than `untilMs`; 72 h after the start when absent. */
  run(untilMs?: number): Promise<void>;
  state(studyInstanceUid: string): Promise<{ readonly state: JobState; readonly code: string | null }>;
  close(): Promise<void>;
}

/** Noon of the day of the test films. */
export const noon = Date.UTC(2026, 10, 20, 12);
const hourMs = 3_600_000;

const mapping = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../mappings/${name}.json`, import.meta.url), 'utf8'));

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-simulated-'));
  const store = openStore(folder);
  const time = { ms: noon };
  const now = () => time.ms;
  const { world, close } = worldOf(options, folder, store.ledger, time);
  const runOne = async (job: Job & { readonly failingSince: number | null }) => {
    const before = (step: StepName) => options.onStep?.(step, job);
    try {
      await store.queue.settle(job, await readStudy(job, stepsOf(world, before)), now());
    } catch (thrown) {
      const rules = { retryWindowMs: 72 * hourMs, random: Math.random };
      await store.queue.settle(job, settlementOf(job, asFailure(thrown), now(), rules), now());
    }
  };
  return {
    time,
    announce: (studyInstanceUid) =>
      store.queue.announce({ studyInstanceUid, source: 'test', priority: 'routine' }, now()),
    async run(untilMs = noon + 72 * hourMs) {
      for (;;) {
        const job = await store.queue.claim(now());
        if (job) await runOne(job);
        const dueAt = await store.queue.nextDueAt();
        if (dueAt === null || dueAt > untilMs) return;
        time.ms = Math.max(time.ms, dueAt);
      }
    },
    async state(studyInstanceUid) {
      const row = await store.board.get(studyInstanceUid);
      if (!row) throw new Error('the study was never announced');
      return { state: row.job.state, code: row.job.code };
    },
    async close() {
      await close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function worldOf(options: GatewayOptions, folder: string, ledger: World['ledger'], time: { ms: number }) {
  const { archive, fhir, results = archive, siteSecret = 'secret of the simulators' } = options;
  const now = () => time.ms;
  const wait = async (ms: number): Promise<void> => {
    time.ms += ms;
  };
  const clock = { now, wait };
  const [pacsHttp, resultsHttp] = [archive, results].map(({ url }) => makeHttp(url, { now }));
  const fhirHttp = makeHttp(fhir.url, { now, peer: 'fhir' });
  const urls = (root: string) => ({ qidoUrl: root, wadoUrl: root, timeoutMs: 5000 });
  const rules = createSelectionRules(mapping('selection'), mapping('views'));
  const report = { ...fhirOptionsSchema.parse({}), wadoRoot: null };
  const world: World = {
    archive: createPacs({ ...urls(archive.url), http: pacsHttp!, spoolFolder: join(folder, 'spool') }),
    reader: fixedReader,
    ledger,
    outputs: createOutputs({ fhirReport: { procedures: proceduresSchema.parse(mapping('procedures')), report } }),
    destinations: [
      createPacsDestination({ ...urls(results.url), http: resultsHttp!, stowUrl: results.url, clock }),
      createFhirDestination({ http: fhirHttp, root: fhir.url, options: fhirOptionsSchema.parse({}), now }),
    ],
    select: (instances, at) =>
      select(instances, rules, { now: at, ownDeviceUids: new Set([model.deviceUid]), ownUids: new Set() }),
    describe: describeHeader,
    ...{ model, settings, codes, gateway, siteSecret, now },
    reportFailures: false,
    settle: { quietSeconds: 5, maxSeconds: 900 },
    progress: async () => {},
  };
  return { world, close: () => Promise.all([pacsHttp!, resultsHttp!, fhirHttp].map((http) => http.close())) };
}

/** The steps of the spine with a word before each of those that `stepNames` lists. */
function stepsOf(world: World, before: (step: StepName) => void) {
  const told = <A extends unknown[], R>(step: StepName, work: (...given: A) => R) => {
    return (...given: A): R => {
      before(step);
      return work(...given);
    };
  };
  const [first, ...others] = world.outputs;
  const steps = createSteps({
    ...world,
    archive: { ...world.archive, fetch: told('fetch', world.archive.fetch) },
    reader: { ...world.reader, read: told('read', world.reader.read) },
    outputs: [{ ...first!, compose: told('compose', first!.compose) }, ...others],
    ledger: { ...world.ledger, record: told('record', world.ledger.record) },
  });
  return {
    ...steps,
    list: told('list', steps.list),
    select: told('select', steps.select),
    recall: told('recall', steps.recall),
    settle: told('settle', steps.settle),
    confirm: told('confirm', steps.confirm),
    conclude: told('conclude', steps.conclude),
    deliver: told('deliver', steps.deliver),
  };
}

const fixedReader: FilmReader = {
  header: async (path) => parsePart10(await readFile(path)).header,
  async read({ path, expectedSOPInstanceUID }) {
    const bytes = await readFile(path);
    const { header, pixelData } = parsePart10(bytes);
    if (text(header, 'SOPInstanceUID') !== expectedSOPInstanceUID) throw new Failure('wrong-object');
    return {
      header,
      pixelDigest: sha256(pixelData?.bytes ?? bytes),
      score: 0.91,
      map: { columns: 7, rows: 7, values: Array.from({ length: 49 }, (_, index) => (index === 30 ? 2 : 0)) },
      region: [
        [0, 0],
        [300, 0],
        [300, 360],
        [0, 360],
        [0, 0],
      ],
      zone: 'right-lower',
      picture: makePicture(300, 360),
      flags: [],
      provider: { asked: 'cpu', used: 'cpu' },
    };
  },
  close: async () => {},
};
