import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGuarded, stopGuarded } from './guarded.ts';

/** A real Orthanc with its DICOMweb plugin, on a free loopback port and a folder of its own; ready in half a second. */

const programs = ['/usr/sbin/Orthanc', '/usr/bin/Orthanc', '/usr/local/sbin/Orthanc'];
const plugin = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
const startTimeoutMs = 20_000;

export interface OrthancOptions {
  /** Switches authentication on. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Further keys of its configuration. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Variables that its configuration may name. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds without a new instance until a study is stable. */
  readonly stableAge?: number;
}

export interface Orthanc {
  /** REST root, without a slash at its end. */
  readonly url: string;
  readonly dicomwebUrl: string;
  /** Sends one file over the REST API; gives its status. */
  send(file: Uint8Array): Promise<number>;
  /** Its REST API, with the credentials of `user`. */
  rest(method: string, path: string): Promise<Response>;
  stop(): Promise<void>;
}

/** Why it cannot be started here, or null. */
export function whyNoOrthanc(): string | null {
  if (!programs.some((program) => existsSync(program))) return 'Orthanc is not installed';
  return existsSync(plugin) ? null : 'the DICOMweb plugin of Orthanc is not installed';
}

export async function startOrthanc(options: OrthancOptions = {}): Promise<Orthanc> {
  const folder = await mkdtemp(join(tmpdir(), 'orthanc-'));
  const port = await freePort();
  const file = join(folder, 'orthanc.json');
  await writeFile(file, JSON.stringify(configuration(folder, port, options)));
  const program = programs.find((candidate) => existsSync(candidate)) ?? 'Orthanc';
  const variables = Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const child = spawnGuarded(['env', ...variables, program, file], { graceSeconds: 10 });
  let log = '';
  const keep = (chunk: Buffer) => {
    log = `${log}${chunk.toString()}`.slice(-8000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = async () => {
    await stopGuarded(child);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const headers = headersOf(options);
  const rest = (method: string, path: string) => fetch(`${url}${path}`, { method, headers });
  if (!(await isReady(rest))) {
    await stop();
    throw new Error(`Orthanc did not start within ${startTimeoutMs / 1000} s\n${log}`);
  }
  return {
    url,
    dicomwebUrl: `${url}/dicom-web`,
    rest,
    stop,
    async send(bytes) {
      const answer = await fetch(`${url}/instances`, { method: 'POST', headers, body: Buffer.from(bytes) });
      await answer.arrayBuffer();
      return answer.status;
    },
  };
}

function configuration(folder: string, port: number, { user, settings, stableAge = 1 }: OrthancOptions) {
  return {
    Name: 'TEST',
    StorageDirectory: folder,
    IndexDirectory: folder,
    HttpPort: port,
    // It binds all addresses whatever one writes here; others are answered 401.
    RemoteAccessAllowed: false,
    AuthenticationEnabled: user !== undefined,
    ...(user ? { RegisteredUsers: { [user.name]: user.password } } : {}),
    DicomServerEnabled: false,
    StableAge: stableAge,
    Plugins: [plugin],
    DicomWeb: { Enable: true, Root: '/dicom-web/', EnableWado: false },
    ...settings,
  };
}

function headersOf({ user }: OrthancOptions): Record<string, string> {
  if (!user) return {};
  return { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` };
}

async function isReady(rest: (method: string, path: string) => Promise<Response>): Promise<boolean> {
  for (const until = Date.now() + startTimeoutMs; Date.now() < until; ) {
    const answer = await rest('GET', '/system').catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return true;
    await sleep(50);
  }
  return false;
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
