import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import type { StudyBoard } from '../../src/core/ports.ts';
import type { StudyEvent } from '../../src/core/study.ts';
import { createHttpServer, createMetrics, type HttpServer, type HttpServerOptions } from '../../src/http/index.ts';

const token = 'a-token-of-the-tests-0123456789';
const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const emptyBoard: StudyBoard = {
  find: async () => ({ total: 0, studies: [] }),
  get: async () => null,
  countsByState: async () => ({}),
  waiting: async () => ({ stat: { count: 0, oldestAt: null }, routine: { count: 0, oldestAt: null } }),
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends no token. */
  readonly anonymous?: boolean;
}

async function start(overrides: Partial<HttpServerOptions> = {}) {
  const received: StudyEvent[] = [];
  const lines: unknown[] = [];
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    token,
    allowedHosts: [],
    checks: [],
    metrics: createMetrics(),
    board: emptyBoard,
    ask: async () => {},
    receive: async (event) => void received.push(event),
    log: (line) => void lines.push(line),
    now: () => 0,
    ...overrides,
  });
  await server.listen();
  servers.push(server);
  return { server, received, lines, ask: (path: string, ask: Ask = {}) => send(server.url, path, ask) };
}

/** Plain node:http, because fetch sets Host and Origin as it likes. */
function send(base: string, path: string, { method = 'GET', headers = {}, body, anonymous }: Ask): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const authorization: Record<string, string> = anonymous ? {} : { authorization: `Bearer ${token}` };
  const outgoing = httpRequest(`${base}${path}`, { method, headers: { ...authorization, ...headers } }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    answer.on('end', () => {
      const json = /json/.test(answer.headers['content-type'] ?? '') && text ? JSON.parse(text) : {};
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

const announcement = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"studyInstanceUid":"1.2.3"}',
};

describe('T17: who may ask', () => {
  const authorizations: readonly [string, string | undefined, number][] = [
    ['none', undefined, 401],
    ['an empty one', '', 401],
    ['the scheme alone', 'Bearer', 401],
    ['another token', 'Bearer another-token-of-the-same-kind', 401],
    ['a prefix of the token', `Bearer ${token.slice(0, -1)}`, 401],
    ['the token and more', `Bearer ${token}x`, 401],
    ['another scheme', `Basic ${token}`, 401],
    ['the token alone', token, 401],
    ['the token', `Bearer ${token}`, 200],
    ['the token, scheme in small letters', `bearer ${token}`, 200],
  ];
  test.each(authorizations)('authorization: %s', async (_, authorization, status) => {
    const { ask } = await start();
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await ask('/api/v1/studies', { anonymous: true, headers });
    expect(answer.status).toBe(status);
    if (status === 401) {
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(answer.json).toMatchObject({ status: 401, code: 'unauthorized' });
    }
  });

  test.each([
    ['GET', '/metrics'],
    ['GET', '/api/v1/studies'],
    ['GET', '/api/v1/studies/1.2.3'],
    ['POST', '/api/v1/studies'],
    ['GET', '/nothing-here'],
    ['GET', '/'],
    ['GET', '/HEALTHZ'],
    ['GET', '/readyz/../metrics'],
  ])('%s %s needs the token, because only health is open', async (method, path) => {
    const { ask, received } = await start();
    const { body, headers } = announcement;
    expect((await ask(path, { method, anonymous: true, ...(method === 'POST' && { body, headers }) })).status).toBe(
      401,
    );
    expect(received).toEqual([]);
  });

  test.each(['/healthz', '/readyz'])('%s needs none, because a probe has none', async (path) => {
    const { ask } = await start();
    expect((await ask(path, { anonymous: true, headers: { host: '10.0.0.7:8080' } })).status).toBe(200);
  });

  test('there is no server without a token, because a default is a password that everybody knows', async () => {
    await expect(start({ token: '' })).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(start({ token: 'short' })).rejects.toMatchObject({ code: 'config-invalid' });
  });
});

describe('T15: a page in a browser of the hospital', () => {
  test.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['text that looks like JSON', { 'content-type': 'text/plain' }, 415],
    ['a multipart form', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['no content type', {}, 415],
    ['JSON from another origin', { 'content-type': 'application/json', origin: 'https://evil.example' }, 403],
    ['JSON from no origin', { 'content-type': 'application/json', origin: 'null' }, 403],
    ['JSON from a look-alike', { 'content-type': 'application/json', origin: 'http://localhost.evil.example' }, 403],
    ['JSON from our own page', { 'content-type': 'application/json', origin: 'http://localhost:8080' }, 202],
  ])('%s is answered as it should and changes nothing unless it is ours', async (_, headers, status) => {
    const { ask, received } = await start();
    const answer = await ask('/api/v1/studies', { ...announcement, headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    expect(received).toHaveLength(status === 202 ? 1 : 0);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('a preflight gets no permission, because no other origin has one', async () => {
    const { ask } = await start();
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const answer = await ask('/api/v1/studies', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('T16: rebinding, frames and floods', () => {
  test.each([
    ['evil.example', 403],
    ['evil.example:8080', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.nip.io', 403],
    ['localhost@evil.example', 403],
    ['localhost', 200],
    ['LOCALHOST:9', 200],
    ['localhost.', 200],
    ['[::1]:8080', 200],
    ['127.0.0.1:1', 200],
    ['gateway.hospital.example', 200],
  ])('Host %s answers %i, because a name that was re-bound to us is not ours', async (host, status) => {
    const { ask } = await start({ allowedHosts: ['Gateway.hospital.example'] });
    expect((await ask('/api/v1/studies', { headers: { host } })).status).toBe(status);
  });

  test.each(['/healthz', '/api/v1/studies', '/nothing', '/metrics'])(
    '%s comes with headers that forbid everything',
    async (path) => {
      const { ask } = await start();
      const { headers } = await ask(path);
      expect(headers['content-security-policy']).toContain("default-src 'none'; frame-ancestors 'none'");
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      });
      expect(headers['x-powered-by']).toBeUndefined();
    },
  );

  test('a body over the limit is refused, because an announcement is short', async () => {
    const { ask, received } = await start();
    const body = JSON.stringify({ studyInstanceUid: '1.2', padding: 'x'.repeat(20_000) });
    expect(await ask('/api/v1/studies', { ...announcement, body })).toMatchObject({
      status: 413,
      json: { code: 'too-large' },
    });
    expect(received).toEqual([]);
  });

  test('a compressed body is refused, because it may be a bomb', async () => {
    const { ask } = await start();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await ask('/api/v1/studies', { ...announcement, headers })).status).toBe(415);
  });

  test('close ends a connection that never finishes its request, because a stop has ten seconds', async () => {
    const { server } = await start();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await new Promise<void>((resolve) => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n', () => resolve()));
    const began = performance.now();
    await server.close();
    await closed;
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});

describe('health', () => {
  const ok = { name: 'store', run: () => null };

  test('readyz is 200 with its checks, because an operator asks which', async () => {
    const { ask } = await start({ checks: [ok] });
    const { status, json } = await ask('/readyz', { anonymous: true });
    expect({ status, json }).toEqual({
      status: 200,
      json: { status: 'ok', checks: [{ name: 'store', status: 'ok', code: null }] },
    });
  });

  test('readyz is 503 and names the code of the check that failed, because an untrained model must be seen', async () => {
    const { ask } = await start({ checks: [ok, { name: 'model', run: async () => 'model-untrained' }] });
    expect(await ask('/readyz', { anonymous: true })).toMatchObject({
      status: 503,
      json: {
        status: 'fail',
        checks: [
          { name: 'store', status: 'ok' },
          { name: 'model', status: 'fail', code: 'model-untrained' },
        ],
      },
    });
  });

  test('a check that throws is a failed check without its text, because readyz is open to all', async () => {
    const run = () => {
      throw new Error('CANARY^PATRICIA');
    };
    const { ask } = await start({ checks: [{ name: 'pacs', run }] });
    const answer = await ask('/readyz', { anonymous: true });
    expect(answer).toMatchObject({ status: 503, json: { checks: [{ code: 'check-failed' }] } });
    expect(answer.text).not.toContain('CANARY');
  });

  test('healthz does not ask the checks, because a PACS that is down is no reason to restart the gateway', async () => {
    const { ask } = await start({ checks: [{ name: 'pacs', run: () => 'pacs-unavailable' }] });
    expect(await ask('/healthz', { anonymous: true })).toMatchObject({ status: 200, json: { status: 'ok' } });
  });
});

describe('announcements', () => {
  test('are accepted with their place, because the caller wants to look later', async () => {
    const { ask, received } = await start();
    const body = '{"studyInstanceUid":"1.2.3","priority":"stat"}';
    const answer = await ask('/api/v1/studies', { ...announcement, body });
    expect(answer).toMatchObject({ status: 202, json: { studyInstanceUid: '1.2.3', priority: 'stat' } });
    expect(answer.headers.location).toBe('/api/v1/studies/1.2.3');
    expect(received).toEqual([{ studyInstanceUid: '1.2.3', priority: 'stat', source: 'webhook' }]);
  });

  test.each([
    ['routine', 'routine'],
    ['urgent', 'stat'],
    ['asap', 'stat'],
    ['stat', 'stat'],
  ])(
    'of priority %s are %s, because the words of FHIR orders are what callers have (fault 17)',
    async (word, priority) => {
      const { ask, received } = await start();
      const body = JSON.stringify({ studyInstanceUid: '1.2.3', priority: word });
      expect(await ask('/api/v1/studies', { ...announcement, body })).toMatchObject({
        status: 202,
        json: { priority },
      });
      expect(received).toMatchObject([{ priority }]);
    },
  );

  test.each([
    '{}',
    '{"studyInstanceUid":"../../etc/passwd"}',
    '{"studyInstanceUid":"1.2?x="}',
    `{"studyInstanceUid":"${'1.'.repeat(40)}1"}`,
    '{"studyInstanceUid":7}',
    '{"studyInstanceUid":"1.2","priority":"now"}',
    '{"studyInstanceUid":"1.2","CANARY":"x"}',
    '[{"studyInstanceUid":"1.2"}]',
    '{"studyInstanceUid":"1.2"',
    '"1.2"',
    '',
  ])('%s is refused and not repeated, because what is wrong may be anything', async (body) => {
    const { ask, received } = await start();
    const answer = await ask('/api/v1/studies', { ...announcement, body });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    for (const sent of ['passwd', 'CANARY', 'x=']) expect(answer.text).not.toContain(sent);
    expect(received).toEqual([]);
  });
});

describe('errors', () => {
  test('are problems without stack or text of unknown origin, because a log has room and a caller no need', async () => {
    const find = async () => {
      throw new Error('CANARY^PATRICIA at /secret/path');
    };
    const { ask, lines } = await start({ board: { ...emptyBoard, find } });
    const answer = await ask('/api/v1/studies');
    expect(answer).toMatchObject({ status: 500, json: { type: 'about:blank', status: 500, code: 'internal' } });
    expect(answer.text).not.toMatch(/CANARY|secret|\.ts/);
    expect(lines).toEqual([
      { time: '1970-01-01T00:00:00.000Z', event: 'http-failure', code: 'internal', class: 'permanent' },
    ]);
  });

  test('of the store keep their code, because the operator knows what to do about it', async () => {
    const receive = async () => {
      throw new Failure('store-failed', { got: 'ENOSPC at write' });
    };
    const { ask } = await start({ receive });
    expect(await ask('/api/v1/studies', announcement)).toMatchObject({ status: 500, json: { code: 'store-failed' } });
  });

  test.each([
    ['GET', '/nothing', 404],
    ['GET', '/api/v1/studies/1.2.3', 404],
    ['GET', '/api/v1/studies/not-a-uid', 404],
    ['GET', '/api/v1/studies/%E0%A4%A', 400],
    ['DELETE', '/api/v1/studies', 405],
    ['PUT', '/api/v1/studies/1.2.3', 405],
  ])('%s %s is %i as a problem, because a machine reads it', async (method, path, status) => {
    const { ask } = await start();
    const answer = await ask(path, { method });
    expect(answer).toMatchObject({ status, json: { status } });
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  test('an address that is taken is a configuration fault, because a person must choose another', async () => {
    const { server } = await start();
    const port = Number(new URL(server.url).port);
    await expect(start({ port })).rejects.toMatchObject({ code: 'config-invalid', detail: { got: 'EADDRINUSE' } });
  });
});
