import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Instance } from '../../src/core/study.ts';
import { createPacs } from '../../src/dicom/pacs.ts';
import { type Answer, failureOf, makeHttp, startPeer } from '../net/peer.ts';
import { filmUid, makeFile, makeHeader, seriesUid, studyUid } from './objects.ts';
import { closing, isMetadata, json, notFound, startArchive, temporary } from './odd-archive.ts';

/** One object brought into a file, or not at all. */

const film: Instance = { key: filmUid, header: makeHeader(), failure: null };
const file = Buffer.from(makeFile());

function multipart(body: Uint8Array, boundary = 'b42'): Buffer {
  const head = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--`)]);
}
const multipartType = { 'content-type': 'multipart/related; type="application/dicom"; boundary=b42' };
const spooled = () => readdir(join(temporary.folder, 'spool')).catch(() => []);

describe('a retrieval', () => {
  test('brings the very bytes into a file that no data named and no other user reads', async () => {
    const { pacs, peer } = await startArchive((response) =>
      response.writeHead(200, multipartType).end(multipart(file)),
    );
    const path = await pacs.fetch(film);
    expect((await readFile(path)).equals(file)).toBe(true);
    expect(path).not.toContain('2.25');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(temporary.folder, 'spool'))).mode & 0o777).toBe(0o700);
    expect(peer.asked[0]?.path).toBe(`/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${filmUid}`);
    await pacs.release(path);
    expect(await spooled()).toEqual([]);
    await expect(pacs.release(path)).resolves.toBeUndefined();
  });

  const whole = multipart(file);
  test.each<[string, Record<string, string>]>([
    ['with Content-Length', { 'content-length': String(whole.length) }],
    ['in chunks', {}],
    ['until the connection closes', { connection: 'close' }],
  ])(
    'that is cut at any 997th byte is never a success and leaves no file: %s (fault 28, T10)',
    async (_name, headers) => {
      let cut = 0;
      const { pacs } = await startArchive((response) => {
        response.writeHead(200, { ...multipartType, ...headers });
        response.write(whole.subarray(0, cut), () => response.destroy());
      });
      for (cut = 1; cut < whole.length; cut += 997) {
        expect((await failureOf(pacs.fetch(film))).code).toBe('pacs-incomplete');
      }
      expect(await spooled()).toEqual([]);
    },
  );

  test('that the server ends early and properly is no success either, because only the terminator proves the end', async () => {
    let cut = 0;
    const { pacs } = await startArchive((response) =>
      response.writeHead(200, multipartType).end(whole.subarray(0, cut)),
    );
    for (cut = 1; cut < whole.length; cut += 997) {
      expect((await failureOf(pacs.fetch(film))).code).toBe('pacs-incomplete');
    }
  });

  test('asks for what the archive accepts, and remembers it (fault 31)', async () => {
    const { pacs, peer } = await startArchive((response, { accept }) => {
      if (accept?.startsWith('multipart')) response.writeHead(accept.includes('*') ? 406 : 400).end();
      else response.writeHead(200, { 'content-type': 'application/dicom', 'content-length': file.length }).end(file);
    });
    for (let time = 0; time < 2; time++) expect((await readFile(await pacs.fetch(film))).equals(file)).toBe(true);
    const [whatever, explicit, single] = [
      'multipart/related; type="application/dicom"; transfer-syntax=*',
      'multipart/related; type="application/dicom"',
      'application/dicom',
    ];
    expect(peer.asked.map(({ accept }) => accept)).toEqual([whatever, explicit, single, single]);
  });

  test.each<[string, Answer, string]>([
    ['an archive that takes no type', (r) => r.writeHead(406).end(), 'pacs-refused'],
    ['a login page', (r) => r.setHeader('content-type', 'text/html').end('<html>'), 'pacs-not-dicomweb'],
    [
      'a single part without an end',
      (r) =>
        r.socket?.end(
          Buffer.concat([
            Buffer.from('HTTP/1.0 200 OK\r\nContent-Type: application/dicom\r\n\r\n'),
            file.subarray(0, 900),
          ]),
        ),
      'pacs-incomplete',
    ],
    ['no bytes', (r) => r.setHeader('content-type', 'application/dicom').end(), 'pacs-incomplete'],
    [
      'two objects',
      (r) =>
        r
          .writeHead(200, multipartType)
          .end(Buffer.concat([whole.subarray(0, -2), Buffer.from('\r\n\r\nx\r\n--b42--')])),
      'pacs-incomplete',
    ],
    ['status 500', (r) => r.writeHead(500).end(), 'pacs-unavailable'],
    ['status 503', (r) => r.writeHead(503, { 'retry-after': '3' }).end(), 'pacs-busy'],
  ])('from %s is told by its own code', async (_name, answer, code) => {
    const { pacs } = await startArchive(answer);
    expect((await failureOf(pacs.fetch(film))).code).toBe(code);
    expect(await spooled()).toEqual([]);
  });

  test('of an object that is gone asks whether the study is (fault 4)', async () => {
    const { pacs } = await startArchive(
      (response, { path }) => void (path.includes('/instances/') ? notFound(response) : json(response, [])),
    );
    expect((await failureOf(pacs.fetch(film))).code).toBe('source-gone');
  });

  test('of an endless object ends at the size limit', async () => {
    const peer = await startPeer((response) => {
      response.writeHead(200, multipartType);
      response.write(whole.subarray(0, 500));
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 7)));
        response.once('drain', pour);
      };
      pour();
    });
    const http = makeHttp(peer.url);
    closing.push(
      () => peer.close(),
      () => http.close(),
    );
    const spoolFolder = join(temporary.folder, 'spool');
    const pacs = createPacs({
      http,
      qidoUrl: peer.url,
      wadoUrl: peer.url,
      spoolFolder,
      timeoutMs: 5000,
      maxObjectBytes: 1_000_000,
    });
    expect((await failureOf(pacs.fetch(film))).code).toBe('pacs-too-large');
    expect(await spooled()).toEqual([]);
  });

  test('into a folder that cannot be made is a fault of ours, not of the archive', async () => {
    await writeFile(join(temporary.folder, 'spool'), 'in the way');
    const { pacs } = await startArchive((response) => response.writeHead(200, multipartType).end(whole));
    expect((await failureOf(pacs.fetch(film))).code).toBe('store-failed');
  });

  test('gets more time for more pixels, because a slow line is no fault', async () => {
    const { pacs } = await startArchive((response) => {
      response.writeHead(200, multipartType);
      response.write(whole.subarray(0, 800));
      setTimeout(() => response.end(whole.subarray(800)), 500);
    }, 200);
    const large = {
      ...film,
      header: { ...makeHeader(), '00280010': { vr: 'US', Value: [3000] }, '00280011': { vr: 'US', Value: [2000] } },
    };
    expect((await failureOf(pacs.fetch(film))).code).toBe('pacs-timeout');
    await expect(pacs.fetch(large)).resolves.toMatch(/\.dcm$/);
  });

  test('never follows an address out of the data (T3)', async () => {
    const elsewhere = await startPeer((response) => response.end());
    closing.push(() => elsewhere.close());
    const uri = `${elsewhere.url}/latest/meta-data`;
    const hostile = {
      ...makeHeader(),
      '00081190': { vr: 'UR', Value: [uri] },
      '7FE00010': { vr: 'OW', BulkDataURI: uri },
    };
    const { pacs } = await startArchive((response, asked) => {
      if (isMetadata(asked)) json(response, [hostile]);
      else response.writeHead(200, { ...multipartType, 'content-location': uri, link: `<${uri}>` }).end(whole);
    });
    const [instance] = await pacs.list(studyUid);
    await pacs.release(await pacs.fetch(instance!));
    expect(elsewhere.asked).toHaveLength(0);
  });
});
