import { expect, test } from '@jest/globals';
import type { StudyEvent } from '../../src/core/study.ts';
import { createWebhook } from '../../src/sources/webhook.ts';

test('an event is answered when it is durable, because the caller forgets it then', async () => {
  const webhook = createWebhook();
  const controller = new AbortController();
  const stored: StudyEvent[] = [];
  const store = Promise.withResolvers<void>();
  let isRunning = true;
  const running = webhook
    .run(async (event) => {
      await store.promise;
      stored.push(event);
    }, controller.signal)
    .then(() => {
      isRunning = false;
    });
  const received = webhook.receive({ studyInstanceUid: '2.25.1', priority: 'stat' });
  expect(stored).toEqual([]);
  store.resolve();
  await received;
  expect(stored).toEqual([{ studyInstanceUid: '2.25.1', priority: 'stat', source: 'webhook' }]);
  expect(isRunning).toBe(true);
  controller.abort();
  await running;
});

test('an event that comes before the gateway runs is kept, and one that cannot be stored is an error of the caller', async () => {
  const webhook = createWebhook();
  const received = webhook.receive({ studyInstanceUid: '2.25.1', priority: 'routine' });
  const controller = new AbortController();
  const running = webhook.run(async () => {
    throw new Error('disk full');
  }, controller.signal);
  await expect(received).rejects.toThrow('disk full');
  controller.abort();
  await running;
});
