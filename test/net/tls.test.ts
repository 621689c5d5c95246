import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { failureOf, listen, makeHttp } from './peer.ts';

/** T25. OpenSSL makes the certificates; where it is missing, the tests say so. */

const available = spawnSync('openssl', ['version']).status === 0;
if (!available && !process.env['CI']) console.warn('TLS tests are skipped: openssl is not installed');
const maybe = available || process.env['CI'] ? describe : describe.skip;

maybe('a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const running: Server[] = [];
  let ca = '';

  async function start(name: string, alternative: string): Promise<string> {
    const key = join(folder, `${name}.key`);
    const cert = join(folder, `${name}.pem`);
    const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
    const made = spawnSync('openssl', [
      ...args,
      '-addext',
      `subjectAltName=${alternative}`,
      '-keyout',
      key,
      '-out',
      cert,
    ]);
    expect(made.status).toBe(0);
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
      response.end('[]'),
    );
    running.push(server);
    return (await listen(server)).replace('http:', 'https:');
  }

  let url = '';
  let wrongHost = '';
  beforeAll(async () => {
    url = await start('right', 'IP:127.0.0.1');
    wrongHost = await start('wrong', 'DNS:pacs.example');
    ca = readFileSync(join(folder, 'right.pem'), 'utf8') + readFileSync(join(folder, 'wrong.pem'), 'utf8');
  });
  afterAll(() => {
    for (const server of running) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask(address: string, authorities: string | null) {
    const http = makeHttp(address, { ca: authorities, credentials: { kind: 'bearer', token: 'canary' } });
    try {
      return await (await http.request({ method: 'GET', url: `${address}/studies` })).json();
    } finally {
      await http.close();
    }
  }

  test('that nobody vouches for is refused by name, because someone may sit in between', async () => {
    const failure = await failureOf(ask(url, null));
    expect(failure.code).toBe('pacs-unavailable');
    expect(failure.detail.got).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  test('of another host is refused although its authority is trusted', async () => {
    expect((await failureOf(ask(wrongHost, ca))).detail.got).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('of an authority that the site names is taken', async () => {
    expect(await ask(url, ca)).toEqual([]);
  });
});
