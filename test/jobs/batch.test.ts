import { expect, test } from '@jest/globals';
import { createBatch } from '../../src/jobs/batch.ts';

test('one turn is one commit and the next turn another, because an fsync is dear and an answer must not wait', async () => {
  const commits: (readonly number[])[] = [];
  const add = createBatch<number>((items) => void commits.push(items));
  await Promise.all([add(1), add(2), add(3)]);
  await add(4);
  expect(commits).toEqual([[1, 2, 3], [4]]);
});

test('a failed commit rejects every item of it and no other, because none of them is on the disk', async () => {
  let fails = true;
  const add = createBatch<number>(() => {
    if (fails) throw new Error('disk');
  });
  const settled = await Promise.allSettled([add(1), add(2)]);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  await expect(add(3)).resolves.toBeUndefined();
});
