import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { residentMiB } from '../../src/reader/memory.ts';

const watchdog = pathToFileURL(resolve('src/reader/watchdog.ts')).href;

/** A process that watches its parent and then hangs, as a codec would. */
const hanging = `
  const { Worker } = require('node:worker_threads');
  new Worker(new URL('${watchdog}'), { workerData: process.ppid });
  for (;;);`;

const parent = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', ${JSON.stringify(hanging)}], { stdio: 'ignore' });
  console.log(child.pid);
  setInterval(() => {}, 1000);`;

test('a child that hangs ends when its parent was killed, because nobody else would end it', async () => {
  const gateway = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  await sleep(2500);
  expect(await residentMiB(pid)).not.toBeNull();
  gateway.kill('SIGKILL');
  for (let waited = 0; waited < 20 && (await residentMiB(pid)) !== null; waited++) await sleep(500);
  const left = await residentMiB(pid);
  if (left !== null) process.kill(pid, 'SIGKILL');
  expect(left).toBeNull();
});
