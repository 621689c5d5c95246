import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  const ends: number[] = [];
  async function ask(address: string, authorities: string | null) {
    const onCertificate = (validUntil: number) => void ends.push(validUntil);
    const credentials = { kind: 'bearer', token: 'canary' } as const;
    const http = makeHttp(address, { ca: authorities, credentials, onCertificate });
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

  test('of an authority that the site names is taken, and the day on which it ends is told (fault 34)', async () => {
    ends.length = 0;
    expect(await ask(url, ca)).toEqual([]);
    expect(ends).toHaveLength(1);
    expect(Math.round((ends[0]! - Date.now()) / 86_400_000)).toBe(2);
  });

  test('that has ended is refused by name, so that nobody looks for the fault elsewhere (fault 34)', async () => {
    const authorities = makeEnded(folder);
    const options = { key: readFileSync(join(folder, 'right.key')), cert: authorities };
    const server = createServer(options, (_request, response) => response.end('[]'));
    running.push(server);
    const ended = (await listen(server)).replace('http:', 'https:');
    const failure = await failureOf(ask(ended, authorities));
    expect([failure.code, failure.detail.got]).toEqual(['pacs-unavailable', 'CERT_HAS_EXPIRED']);
  });
});

/** A certificate of the year 2020 for the key `right`, which only `openssl ca` can date so; gives its PEM text. */
function makeEnded(folder: string): string {
  const file = (name: string) => join(folder, name);
  writeFileSync(file('index'), '');
  const rules = `[ca]\ndefault_ca=own\n[own]\ndatabase=${file('index')}\nnew_certs_dir=${folder}\nrand_serial=yes\npolicy=any\ndefault_md=sha256\nx509_extensions=names\n`;
  writeFileSync(file('ca.cnf'), `${rules}[any]\ncommonName=supplied\n[names]\nsubjectAltName=IP:127.0.0.1\n`);
  const openssl = (...args: readonly string[]) => expect(spawnSync('openssl', args).status).toBe(0);
  openssl('req', '-new', '-key', file('right.key'), '-subj', '/CN=ended', '-out', file('ended.csr'));
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
  const own = ['-selfsign', '-batch', '-config', file('ca.cnf'), '-keyfile', file('right.key')];
  openssl('ca', ...own, ...dates, '-in', file('ended.csr'), '-out', file('ended.pem'), '-notext');
  return readFileSync(file('ended.pem'), 'utf8');
}
