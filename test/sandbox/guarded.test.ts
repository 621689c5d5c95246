import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { spawnGuarded, stopGuarded } from '../../src/sandbox/guarded.ts';

/** Stands for a server: says its process number and stays. */
const server = (atTerm: string) => [
  process.execPath,
  '-e',
  `process.on('SIGTERM', () => ${atTerm}); setInterval(() => {}, 1000); console.log(process.pid);`,
];

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function isGoneSoon(pid: number): Promise<boolean> {
  for (let time = 0; time < 100 && isAlive(pid); time++) await sleep(50);
  return !isAlive(pid);
}

test('a server ends with the test run that started it, even one that is killed, because nobody would end it later', async () => {
  const guarded = new URL('../../src/sandbox/guarded.ts', import.meta.url).href;
  const run = `
    const { spawnGuarded } = await import(${JSON.stringify(guarded)});
    spawnGuarded(${JSON.stringify(server('process.exit()'))}, { graceSeconds: 1 }).stdout.pipe(process.stdout);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', run], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(String(line));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  expect(await isGoneSoon(pid)).toBe(true);
});

test('a server that does not end when it is asked to is killed', async () => {
  const child = spawnGuarded(server('{}'), { graceSeconds: 0.2 });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  await stopGuarded(child);
  expect(isAlive(Number(String(line)))).toBe(false);
});
