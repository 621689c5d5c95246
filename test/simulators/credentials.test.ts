import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { resolveConfig } from '../../src/config.ts';
import { wirePeers } from '../../src/wire-peers.ts';
import { failureOf } from '../net/peer.ts';
import { smallFilm } from '../sandbox/objects.ts';
import { type SimulatedArchive, startSimulatedArchive } from './archive.ts';
import { passing, refusal } from './misbehaviour.ts';
import { scripted } from './script.ts';

/** Tokens and passwords that are replaced in their files while the gateway runs. */

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An archive that takes one Authorization header only, and a gateway whose secret lies in a file. */
async function place(secret: 'tokenFile' | 'passwordFile') {
  const archive: SimulatedArchive = await startSimulatedArchive();
  archive.addInstance(smallFilm({ study: '2.25.7', image: '2.25.7.1.1' }));
  const folder = mkdtempSync(join(tmpdir(), 'secret-'));
  const file = join(folder, 'secret');
  writeFileSync(file, 'first\n');
  const user = secret === 'passwordFile' ? { username: 'gateway' } : {};
  const pacs = { url: archive.url, ...user, [secret]: file };
  const text = JSON.stringify({ pacs, fhir: { url: 'http://127.0.0.1:9/fhir' }, jobs: { stateFolder: folder } });
  const readFile = (path: string) => readFileSync(path, 'utf8');
  const config = resolveConfig({ file: { name: 'test.yaml', text }, environment: {}, flags: [], readFile });
  const told: string[] = [];
  const watch = { refused: (peer: string, code: string) => void told.push(`${peer} ${code}`), certificate: () => {} };
  const peers = wirePeers(config, join(folder, 'spool'), { onUnresolvedPatient() {}, onNotice() {} }, watch);
  closing.push(
    () => archive.close(),
    () => rmSync(folder, { recursive: true }),
    ...peers.clients.map((client) => () => client.close()),
  );
  const takes = (word: string): void => {
    const header = secret === 'tokenFile' ? `Bearer ${word}` : `Basic ${btoa(`gateway:${word}`)}`;
    const refused = passing('401', refusal(401), (request) => request.get('authorization') !== header);
    archive.setScript(scripted({ misbehaviour: refused, times: Number.POSITIVE_INFINITY }));
  };
  return { archive, file, peers, takes, told };
}

describe.each(['tokenFile', 'passwordFile'] as const)('a secret in %s (fault 25)', (secret) => {
  test('that is replaced is read again when the old one is refused, without a failure', async () => {
    const { archive, file, peers, takes, told } = await place(secret);
    takes('first');
    expect(await peers.archive.list('2.25.7')).toHaveLength(1);
    takes('second');
    writeFileSync(file, 'second\n');
    expect(await peers.archive.list('2.25.7')).toHaveLength(1);
    expect(archive.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(told).toEqual([]);
  });

  test('that is refused and not replaced, or empty for a moment, is told once and not tried again at once', async () => {
    const { archive, file, peers, takes, told } = await place(secret);
    takes('second');
    writeFileSync(file, '');
    for (let time = 0; time < 5; time++)
      expect((await failureOf(peers.archive.list('2.25.7'))).code).toBe('pacs-unauthorized');
    expect([archive.requests.length, told]).toEqual([1, ['pacs pacs-unauthorized']]);
  });
});
