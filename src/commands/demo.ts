import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, resolveConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { StudyRow } from '../core/ports.ts';
import type { ModelIdentity } from '../core/reading.ts';
import { type Sandbox, startSandbox } from '../sandbox/index.ts';
import { type Gateway, wireGateway } from '../wire-gateway.ts';
import { exitCodes } from './run.ts';
import { runGateway } from './serve.ts';

/** `demo`: an archive, a FHIR server and the gateway on loopback; three drawn films go in, and their results are shown. */

interface Input {
  readonly orthanc?: boolean;
  readonly exit?: boolean;
  readonly json?: boolean;
}

/** What became of one film and where to look at it. */
interface Shown {
  readonly film: string;
  readonly state: string;
  readonly reason: string | null;
  readonly decision: string | null;
  readonly score: number | null;
  readonly sr: string | null;
  readonly heatmap: string | null;
  readonly report: string | null;
}

const patienceMs = 180_000;

export async function run({ orthanc = false, exit = false, json = false }: Input): Promise<number> {
  const say = (text: string) => (json ? undefined : console.log(text));
  const folder = await mkdtemp(join(tmpdir(), 'cxr-gateway-demo-'));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const sandbox = await startSandbox({ orthanc });
  const config = configOf(sandbox, folder);
  const gateway = await wireGateway(config, () => {});
  try {
    const running = runGateway(gateway, config.jobs, stop.signal);
    running.catch(() => stop.abort());
    say(
      `Archive ${sandbox.dicomwebUrl}\nFHIR    ${sandbox.fhirUrl}\n\nDrawing three chest films and sending them … (a score of a drawn film says nothing about the model)`,
    );
    const films = await sandbox.sendFilms(today());
    const shown: Shown[] = [];
    for (const { name, studyInstanceUid } of films) {
      const row = await ending(gateway, studyInstanceUid, stop.signal);
      shown.push(await showOf(name, row, sandbox));
      say(describe(shown.at(-1)!, gateway.world.model));
    }
    if (json) console.log(JSON.stringify(shown));
    if (exit) stop.abort();
    else say('\nOpen the links in a browser. Ctrl-C ends the demo; nothing of it is kept.');
    await running;
  } finally {
    await gateway.close();
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  }
  return exitCodes.ok;
}

function configOf({ dicomwebUrl, fhirUrl, fhirOptions }: Sandbox, folder: string): Config {
  const settings = {
    pacs: { url: dicomwebUrl },
    fhir: { url: fhirUrl, ...fhirOptions },
    sources: { qidoPoll: { everySeconds: 1, startFrom: 'everything' } },
    selection: { qualityControlPatientIds: [] },
    settle: { quietSeconds: 1 },
    allowUntrained: true,
    // Nothing is kept: a disk that is nearly full is good enough.
    jobs: { stateFolder: join(folder, 'state'), minFreeMiB: 0 },
    http: { port: 0 },
  };
  const file = { name: 'the demo', text: JSON.stringify(settings) };
  return resolveConfig({ file, environment: {}, flags: [], readFile: () => '' });
}

const today = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '');

/** The study when its run has ended. */
async function ending({ store }: Gateway, studyInstanceUid: string, signal: AbortSignal): Promise<StudyRow> {
  for (const until = Date.now() + patienceMs; Date.now() < until && !signal.aborted; ) {
    const row = await store.board.get(studyInstanceUid);
    if (row && ['done', 'skipped', 'quarantined', 'dead'].includes(row.job.state)) return row;
    await sleep(100);
  }
  throw new Failure('internal', { where: 'demo', expected: `a result within ${patienceMs / 1000} s`, got: 'none' });
}

async function showOf(film: string, { job, decision, score, artifacts }: StudyRow, sandbox: Sandbox): Promise<Shown> {
  const links = await sandbox.resultLinks(job.studyInstanceUid);
  const report = artifacts.find(({ kind }) => kind === 'fhir-bundle')?.id.split('#')[0];
  return {
    ...{ film, state: job.state, reason: job.code, decision, score, ...links },
    report: report === undefined ? null : sandbox.reportUrl(report),
  };
}

function describe(shown: Shown, { training }: ModelIdentity): string {
  const { film, state, reason, decision, score, sr, heatmap, report } = shown;
  const head = `\n${film}: ${state}${reason === null ? '' : `, ${reason}`}`;
  if (decision === null) return head;
  const scored = score === null ? '' : `, score ${score.toFixed(4)}`;
  const places = [`  heat-map  ${heatmap}`, `  SR        ${sr}`, `  report    ${report}`];
  return [
    `${head}: ${decision}${scored}. ${training === 'untrained' ? 'UNTRAINED MODEL. ' : ''}AI output, not reviewed`,
    ...places,
  ].join('\n');
}
