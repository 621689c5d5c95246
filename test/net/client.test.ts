import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { closing, pair } from './pair.ts';
import { type Answer, failureOf, listen, makeHttp } from './peer.ts';

const ok: Answer = (response) => response.end('[]');

describe('what a peer answers', () => {
  test.each([
    [401, 'pacs-unauthorized', 'fhir-unauthorized'],
    [403, 'pacs-unauthorized', 'fhir-unauthorized'],
    [404, 'pacs-not-found', 'fhir-not-found'],
    [410, 'pacs-not-found', 'fhir-not-found'],
    [400, 'pacs-refused', 'fhir-refused'],
    [406, 'pacs-refused', 'fhir-refused'],
    [409, 'pacs-refused', 'fhir-conflict'],
    [412, 'pacs-refused', 'fhir-conflict'],
    [413, 'pacs-too-large', 'fhir-too-large'],
    [422, 'pacs-refused', 'fhir-refused'],
    [429, 'pacs-busy', 'fhir-busy'],
    [500, 'pacs-unavailable', 'fhir-unavailable'],
    [502, 'pacs-unavailable', 'fhir-unavailable'],
    [503, 'pacs-busy', 'fhir-busy'],
    [504, 'pacs-unavailable', 'fhir-unavailable'],
  ] as const)(
    'status %i is %s or %s, because the class decides about the retry (faults 23, 24, 25)',
    async (status, pacs, fhir) => {
      const answer: Answer = (response) => response.writeHead(status).end('Doe^Jane');
      for (const [peer, code] of [
        ['pacs', pacs],
        ['fhir', fhir],
      ] as const) {
        const failure = await failureOf((await pair(answer, { peer })).get());
        expect(failure.code).toBe(code);
        expect(failure.message).not.toContain('Doe');
      }
    },
  );

  test('a status that the caller asked for is handed back, because STOW and FHIR judge some themselves', async () => {
    const { http, peer } = await pair((response) => response.writeHead(409).end('{}'));
    const answer = await http.request({ method: 'GET', url: `${peer.url}/dicom-web/studies`, expectStatus: [409] });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toEqual({});
  });

  test.each([
    ['7', 7],
    ['86400', 3600],
    [new Date(1_800_000_090_000).toUTCString(), 90],
    [new Date(1_700_000_000_000).toUTCString(), 0],
    ['soon', undefined],
    ['-3', undefined],
  ])('Retry-After %s means %p seconds, an hour at most (fault 23)', async (value, seconds) => {
    const answer: Answer = (response) => response.writeHead(503, { 'retry-after': value }).end();
    const { get } = await pair(answer, { now: () => 1_800_000_000_000 });
    expect((await failureOf(get())).detail.retryAfterSeconds).toBe(seconds);
  });

  test('JSON that is none is told as such, because a login page with status 200 is not the server (fault 29)', async () => {
    const { http, peer } = await pair((response) => response.end('<html>Please log in</html>'));
    const answer = await http.request({ method: 'GET', url: `${peer.url}/dicom-web/studies` });
    const failure = await failureOf(answer.json());
    expect(failure.code).toBe('pacs-not-dicomweb');
    expect(failure.message).not.toContain('log in');
  });

  test('no message holds a UID, an address or a credential', async () => {
    const credentials = { kind: 'basic', username: 'canary-user', password: 'canary-word' } as const;
    const { get, peer } = await pair((response) => response.writeHead(500).end(), { credentials });
    const failure = await failureOf(get('/studies/1.2.840.77/series/1.2.840.78/metadata?PatientID=77'));
    expect(failure.detail.where).toBe('GET studies/…/series/…/metadata?…');
    expect(failure.message).not.toMatch(/840|canary|127\.0|77/);
    expect(peer.asked[0]?.authorization).toBe(`Basic ${Buffer.from('canary-user:canary-word').toString('base64')}`);
  });
});

describe('the time that a request may take', () => {
  test('ends a body that drips, although every drop comes in time (fault 27, T9)', async () => {
    const answer: Answer = (response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const { get } = await pair(answer, { timeoutMs: 300 });
    const began = Date.now();
    const failure = await failureOf(get());
    expect(failure.code).toBe('pacs-timeout');
    expect(failure.detail.got).toMatch(/^[1-9]\d* bytes$/);
    expect(Date.now() - began).toBeLessThan(3000);
  });

  test('ends the wait for an answer that never comes (fault 26, half-open connection)', async () => {
    const { get } = await pair(() => {}, { timeoutMs: 200 });
    expect((await failureOf(get())).code).toBe('pacs-timeout');
  });

  test('does not count the wait for a free place, because a busy gateway is not a slow archive', async () => {
    const answer: Answer = (response) => void setTimeout(() => response.end('[]'), 150);
    const { get } = await pair(answer, { timeoutMs: 400, maxInFlight: 1 });
    await expect(Promise.all([get(), get(), get(), get()])).resolves.toHaveLength(4);
  });

  test('gives the place of an answer back that nobody reads, because one lost answer must not stop a site', async () => {
    const { http, peer, get } = await pair(ok, { timeoutMs: 200, maxInFlight: 1 });
    await http.request({ method: 'GET', url: `${peer.url}/dicom-web/studies` });
    await expect(get()).resolves.toEqual(Buffer.from('[]'));
  });
});

describe('a connection', () => {
  test('that is refused is told without its address (fault 26)', async () => {
    const { peer, get } = await pair(ok);
    await peer.close();
    const failure = await failureOf(get());
    expect(failure.code).toBe('pacs-unavailable');
    expect(failure.detail.got).toBe('ECONNREFUSED');
    expect(failure.message).not.toContain('127.0.0.1');
  });

  test('that leads to something other than HTTP is no DICOMweb', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}).end('220 mail ready\r\n'));
    const url = await listen(server);
    const http = makeHttp(url);
    closing.push(
      async () => server.close(),
      () => http.close(),
    );
    expect((await failureOf(http.request({ method: 'GET', url: `${url}/studies` }))).code).toBe('pacs-not-dicomweb');
  });

  /** Answers the first request of a connection, and ends the connection at the second. */
  async function staleServer() {
    const seen: string[] = [];
    const server = createServer((socket) => {
      let requests = 0;
      socket.on('error', () => {});
      socket.on('data', (data) => {
        seen.push(String(data).split(' ')[0] ?? '');
        if (requests++ === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n[]');
        else socket.destroy();
      });
    });
    const url = await listen(server);
    const http = makeHttp(url, { maxInFlight: 1 });
    closing.push(
      async () => server.close(),
      () => http.close(),
    );
    return { seen, url, http };
  }

  test('that the peer closed while it lay idle is not felt by a GET (fault 35)', async () => {
    const { http, url, seen } = await staleServer();
    for (let time = 0; time < 2; time++) {
      expect(await (await http.request({ method: 'GET', url: `${url}/studies` })).json()).toEqual([]);
    }
    expect(seen).toEqual(['GET', 'GET', 'GET']);
  });

  test('that breaks under a POST is not tried again by itself, because it may have been carried out', async () => {
    const { http, url, seen } = await staleServer();
    await (await http.request({ method: 'GET', url: `${url}/studies` })).bytes();
    const failure = await failureOf(http.request({ method: 'POST', url: `${url}/studies`, body: 'x' }));
    expect(failure.code).toBe('pacs-unavailable');
    expect(seen.filter((method) => method === 'POST')).toHaveLength(1);
  });

  test('is one of maxInFlight at most, because a backlog must not flood the archive (T29)', async () => {
    let open = 0;
    let most = 0;
    const answer: Answer = async (response) => {
      most = Math.max(most, ++open);
      await sleep(20);
      open--;
      response.end('[]');
    };
    const { get } = await pair(answer, { maxInFlight: 3 });
    await Promise.all(Array.from({ length: 20 }, () => get()));
    expect(most).toBe(3);
  });

  test('carries a stream with the length that the caller names, because not every archive takes chunks', async () => {
    const { http, peer } = await pair(ok);
    async function* parts() {
      yield Buffer.from('ab');
      yield Buffer.from('cd');
    }
    const headers = { 'content-length': '4' };
    const url = `${peer.url}/dicom-web/studies`;
    await (await http.request({ method: 'POST', url, headers, body: parts() })).bytes();
    expect(String(peer.asked[0]?.body)).toBe('abcd');
  });
});
