import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { pair } from './pair.ts';
import { type Answer, failureOf } from './peer.ts';

describe('the size of an answer', () => {
  test('is refused by its Content-Length before a byte is read', async () => {
    const { get } = await pair(
      (response) => response.writeHead(200, { 'content-length': 2000 }).end(Buffer.alloc(2000)),
      {
        maxBytes: 1999,
      },
    );
    const failure = await failureOf(get());
    expect(failure.code).toBe('pacs-too-large');
    expect(failure.detail.got).toMatch(/Content-Length/);
  });

  test('is counted while it arrives, because an endless body names no length (T9)', async () => {
    const answer: Answer = (response) => {
      const pour = () => {
        while (response.write(Buffer.alloc(65_536))) if (response.destroyed) return;
        response.once('drain', pour);
      };
      pour();
    };
    const { get } = await pair(answer, { maxBytes: 1_000_000 });
    expect((await failureOf(get())).code).toBe('pacs-too-large');
  });

  test('is counted after decoding, because a small gzip may be a large answer (T5)', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const answer: Answer = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    const { get } = await pair(answer, { maxBytes: 1_000_000 });
    expect(bomb.length).toBeLessThan(100_000);
    expect((await failureOf(get())).code).toBe('pacs-too-large');
  });

  test('does not keep a compressed answer from being read, although none was asked for', async () => {
    const { get } = await pair((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('[1]')),
    );
    expect(String(await get())).toBe('[1]');
  });
});

describe('a body that is cut', () => {
  const body = Buffer.alloc(3000, 'x');
  test.each([
    ['with Content-Length', { 'content-length': String(body.length) }],
    ['in chunks', {}],
    ['in chunks at the end of the connection', { connection: 'close' }],
  ] as const)('never ends as success: %s (fault 28)', async (_name, headers) => {
    const answer: Answer = (response) => {
      response.writeHead(200, headers);
      response.write(body.subarray(0, 997), () => response.destroy());
    };
    expect((await failureOf((await pair(answer)).get())).code).toBe('pacs-incomplete');
  });

  test('never ends as success inside a compressed one', async () => {
    const whole = gzipSync(Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251)));
    const answer: Answer = (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(whole.subarray(0, whole.length - 10));
    expect((await failureOf((await pair(answer)).get())).code).toBe('pacs-incomplete');
  });
});
