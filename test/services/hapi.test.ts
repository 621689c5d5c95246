import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { hapiJar, whyNoHapi } from './hapi.ts';

const why = whyNoHapi();
if (why && process.env['CI']) throw new Error(`HAPI is needed in CI: ${why}`);
if (why) console.warn(`Skipped, the launcher of HAPI: ${why}.`);
const maybe = why ? test.skip : test;

maybe(
  'the server halts when the pipe of its parent closes, because a killed test run must leave nothing behind',
  async () => {
    const server = spawn('java', ['-XX:TieredStopAtLevel=1', '-jar', hapiJar, '0'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const early = await Promise.race([
      once(server, 'exit'),
      new Promise((resolve) => setTimeout(() => resolve('alive'), 1500)),
    ]);
    expect(early).toBe('alive');
    server.stdin.end();
    expect(await once(server, 'exit', { signal: AbortSignal.timeout(20_000) })).toEqual([0, null]);
  },
);
