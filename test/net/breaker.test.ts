import { describe, expect, test } from '@jest/globals';
import type { FailureCode } from '../../src/core/failure.ts';
import type { Credentials } from '../../src/net/options.ts';
import { pair } from './pair.ts';
import { type Answer, failureOf } from './peer.ts';

/** A server that asks to be left alone, or refuses our credentials, is left alone by all jobs. */

const minute = 60_000;

/** A clock that the test moves. */
function clock() {
  const time = { ms: 1_800_000_000_000 };
  return { time, now: () => time.ms };
}

describe('a server that is busy', () => {
  test('is asked by nobody before the time that it named, because one job’s 503 holds for all (fault 23)', async () => {
    const { time, now } = clock();
    let busy = true;
    const answer: Answer = (response) =>
      busy ? response.writeHead(503, { 'retry-after': '120' }).end() : response.end('[]');
    const { get, peer } = await pair(answer, { now });
    expect((await failureOf(get())).detail.retryAfterSeconds).toBe(120);
    busy = false;
    time.ms += 90_000;
    const second = await failureOf(get('/instances'));
    expect([second.code, second.detail.retryAfterSeconds, peer.asked.length]).toEqual(['pacs-busy', 30, 1]);
    time.ms += 30_000;
    expect((await get()).toString()).toBe('[]');
  });

  test('holds back nobody at another server, and no one who waited for a place is sent after all (fault 23)', async () => {
    const { now } = clock();
    const busy = await pair(
      (response) => setTimeout(() => response.writeHead(429, { 'retry-after': '60' }).end(), 30),
      {
        now,
        maxInFlight: 1,
      },
    );
    const other = await pair((response) => response.end('[]'), { now });
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(busy.get())));
    expect(failures.map(({ code }) => code)).toEqual(['pacs-busy', 'pacs-busy', 'pacs-busy']);
    expect(busy.peer.asked).toHaveLength(1);
    expect((await other.get()).toString()).toBe('[]');
  });

  test('503 without a time, and 500, close nothing, because each job backs off by itself (fault 24)', async () => {
    for (const status of [503, 500]) {
      const { get, peer } = await pair((response) => response.writeHead(status).end());
      for (let time = 0; time < 3; time++) await failureOf(get());
      expect(peer.asked).toHaveLength(3);
    }
  });
});

describe('credentials that are refused', () => {
  /** Takes the token that it is told. */
  const guarded =
    (token: { valid: string }): Answer =>
    (response) => {
      const authorization = response.req.headers.authorization;
      if (authorization === `Bearer ${token.valid}`) response.end('[]');
      else response.writeHead(401).end();
    };
  const bearer = (token: string): Credentials => ({ kind: 'bearer', token });

  test('are tried once a minute by all jobs together, and told once (fault 25)', async () => {
    const { time, now } = clock();
    const token = { valid: 'new' };
    const told: FailureCode[] = [];
    const onRefused = (code: FailureCode) => void told.push(code);
    const { get, peer } = await pair(guarded(token), { now, credentials: bearer('old'), onRefused });
    for (let seconds = 0; seconds < 300; seconds += 5) {
      const codes = await Promise.all([1, 2, 3].map(async () => (await failureOf(get())).code));
      expect(new Set(codes)).toEqual(new Set(['pacs-unauthorized']));
      time.ms += 5_000;
    }
    // One in each of the five minutes; of the three that come together at first, two may be on their way already.
    expect([peer.asked.length <= 5 + 2, told]).toEqual([true, ['pacs-unauthorized']]);
    token.valid = 'old';
    time.ms += minute;
    expect((await get()).toString()).toBe('[]');
    expect((await Promise.all([1, 2, 3].map(() => get()))).length).toBe(3);
    token.valid = 'other';
    await failureOf(get());
    expect(told).toHaveLength(2);
  });

  test('that end every three requests are renewed, once for all who wait, and no job notices (fault 25)', async () => {
    let served = 0;
    let looks = 0;
    const token = { valid: '0' };
    const answer: Answer = (response, asked) => {
      const before = served;
      guarded(token)(response, asked);
      if (response.statusCode === 200) served++;
      if (served % 3 === 0 && served > before) token.valid = String(served);
    };
    const renew = async () => {
      looks++;
      return bearer(token.valid);
    };
    const { get, http, peer } = await pair(answer, { credentials: bearer('0'), renew, maxInFlight: 1 });
    for (let round = 0; round < 10; round++) await Promise.all([get(), get()]);
    const pieces = async function* () {
      yield Buffer.from('body');
    };
    token.valid = 'next';
    const body = { [Symbol.asyncIterator]: pieces };
    await (await http.request({ method: 'POST', url: `${peer.url}/dicom-web/studies`, body })).bytes();
    expect(peer.asked.at(-1)?.body.toString()).toBe('body');
    expect(looks).toBe(Math.floor(20 / 3) + 1);
  });

  test('403 of one study holds back nobody; 403 of three in a row does (fault 25)', async () => {
    const { now } = clock();
    const { get, peer } = await pair(
      (response, { path }) => response.writeHead(path.includes('closed') ? 403 : 200).end('[]'),
      { now },
    );
    for (let time = 0; time < 5; time++) {
      expect((await failureOf(get('/closed'))).code).toBe('pacs-unauthorized');
      await get();
    }
    for (let time = 0; time < 3; time++) await failureOf(get('/closed'));
    const asked = peer.asked.length;
    expect((await failureOf(get())).detail.got).toBe('not asked');
    expect(peer.asked).toHaveLength(asked);
  });
});
