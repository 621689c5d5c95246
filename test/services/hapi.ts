import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A real HAPI FHIR JPA server on a free loopback port; start takes half a minute, so share one where tests allow it. */

export const hapiJar = fileURLToPath(new URL('.cache/hapi/hapi-server.jar', import.meta.url));
/** Memory, garbage collector and compiler for a short life on a small machine. */
const javaFlags = ['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const startTimeoutMs = 240_000;

export interface HapiOptions {
  /** Refuse what the R4 definitions refuse, as a strict server does. */
  readonly validate?: boolean;
  /** Milliseconds for which a search result is reused; 0 as default, HAPI's own default is 60,000. */
  readonly cacheMillis?: number;
}

export interface HapiServer {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  /** Removes everything that the server holds. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Why the server cannot be started here, or null. */
export function whyNoHapi(): string | null {
  if (spawnSync('java', ['-version']).status !== 0) return 'java is not installed';
  return existsSync(hapiJar) ? null : 'the launcher is not built: test/services/build-hapi.sh';
}

/**
 * Starts a server and waits until it serves. It reads the pipe on its standard input and halts when that closes: a test
 * run that is killed leaves no server behind.
 */
export async function startHapi({ validate = true, cacheMillis = 0 }: HapiOptions = {}): Promise<HapiServer> {
  const properties = [`-Dhapi.validate=${validate}`, `-Dhapi.cacheMillis=${cacheMillis}`];
  const child = spawn('java', [...javaFlags, ...properties, '-jar', hapiJar, '0'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const url = await ready(child);
  return {
    url,
    async clear() {
      const body = { resourceType: 'Parameters', parameter: [{ name: 'expungeEverything', valueBoolean: true }] };
      const headers = { 'content-type': 'application/fhir+json' };
      const response = await fetch(`${url}/$expunge`, { method: 'POST', headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`HAPI did not expunge: status ${response.status}`);
      await response.arrayBuffer();
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.stdin?.end();
        await ended;
      }
    },
  };
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    let errors = '';
    const fail = (why: string) => reject(new Error(`HAPI ${why}\n${errors.slice(-2000)}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${startTimeoutMs / 1000} s`);
    }, startTimeoutMs);
    child.once('error', (error) => fail(`did not start: ${error.message}`));
    child.once('exit', (code) => fail(`ended with ${code} before it was ready`));
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = `${errors}${chunk.toString()}`.slice(-8000);
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const url = out.match(/^READY (\S+)$/m)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}
