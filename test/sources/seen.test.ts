import { expect, test } from '@jest/globals';
import { createSeen } from '../../src/sources/seen.ts';
import { makeMemory } from './support.ts';

test('a study that was never seen is told apart from one whose count is unknown', async () => {
  const seen = createSeen(makeMemory(), 1_000_000);
  expect(await seen.instances('2.25.1')).toBeUndefined();
  await seen.note('2.25.1', null);
  await seen.note('2.25.2', 7);
  expect(await seen.instances('2.25.1')).toBeNull();
  expect(await seen.instances('2.25.2')).toBe(7);
  await seen.note('2.25.2', 8);
  expect(await seen.instances('2.25.2')).toBe(8);
});

test('the table is bounded and forgets the oldest first, because an archive grows for years', async () => {
  const memory = makeMemory();
  const seen = createSeen(memory, 4096);
  for (let index = 0; index < 12_000; index++) await seen.note(`2.25.${index}`, 1);
  const kept = [...memory.values.values()].map((text) => (JSON.parse(text) as unknown[]).length);
  expect(Math.max(...kept)).toBe(2);
  expect(await seen.instances('2.25.11999')).toBe(1);
  expect(await seen.instances('2.25.0')).toBeUndefined();
});
