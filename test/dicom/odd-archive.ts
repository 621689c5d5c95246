import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import type { Archive } from '../../src/core/ports.ts';
import { createPacs } from '../../src/dicom/pacs.ts';
import { type Answer, type Asked, makeHttp, type Peer, startPeer } from '../net/peer.ts';

/** An archive that misbehaves, on loopback, and a spool folder; both end with the test. */

/** Of the test that runs; `spool` in it is the spool folder of its archive. */
export const temporary = { folder: '' };
export const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  temporary.folder = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(temporary.folder, { recursive: true, force: true });
});

export async function startArchive(
  answer: Answer,
  timeoutMs = 5000,
): Promise<{ readonly peer: Peer; readonly pacs: Archive }> {
  const peer = await startPeer(answer);
  const http = makeHttp(`${peer.url}/dicom-web`, { timeoutMs });
  const root = `${peer.url}/dicom-web`;
  closing.push(
    () => peer.close(),
    () => http.close(),
  );
  const pacs = createPacs({
    http,
    qidoUrl: root,
    wadoUrl: `${root}/`,
    spoolFolder: join(temporary.folder, 'spool'),
    timeoutMs,
  });
  return { peer, pacs };
}

export const json = (response: ServerResponse, value: unknown): unknown =>
  response.setHeader('content-type', 'application/dicom+json').end(JSON.stringify(value));
export const isMetadata = ({ path }: Asked): boolean => path.endsWith('/metadata');

export const notFound = (response: ServerResponse): unknown => response.writeHead(404).end();
