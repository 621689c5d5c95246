import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isUid } from '../../src/core/ids.ts';
import type { Archive } from '../../src/core/ports.ts';
import type { Instance } from '../../src/core/study.ts';
import { createPacs } from '../../src/dicom/pacs.ts';
import { type Answer, type Asked, failureOf, makeHttp, type Peer, startPeer } from '../net/peer.ts';
import { filmUid, makeFile, makeHeader, type ObjectPlan, seriesUid, studyUid } from './objects.ts';

/** An archive that misbehaves, on loopback. */

let folder = '';
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

async function start(answer: Answer, timeoutMs = 5000): Promise<{ readonly peer: Peer; readonly pacs: Archive }> {
  const peer = await startPeer(answer);
  const http = makeHttp(`${peer.url}/dicom-web`, { timeoutMs });
  const root = `${peer.url}/dicom-web`;
  closing.push(
    () => peer.close(),
    () => http.close(),
  );
  const pacs = createPacs({ http, qidoUrl: root, wadoUrl: `${root}/`, spoolFolder: join(folder, 'spool'), timeoutMs });
  return { peer, pacs };
}

const json = (response: ServerResponse, value: unknown): unknown =>
  response.setHeader('content-type', 'application/dicom+json').end(JSON.stringify(value));
const isMetadata = ({ path }: Asked): boolean => path.endsWith('/metadata');
const row = (plan: ObjectPlan = {}) => makeHeader(plan);

/** Answers metadata as told, and searches for studies with the rows. */
const listing =
  (metadata: (response: ServerResponse) => unknown, rows: readonly unknown[] = []): Answer =>
  (response, asked) =>
    void (isMetadata(asked) ? metadata(response) : json(response, rows));

const notFound = (response: ServerResponse) => response.writeHead(404).end();

describe('a listing', () => {
  test('gives every object with its header, and is asked for at the study', async () => {
    const { pacs, peer } = await start(
      listing((response) => json(response, [row(), row({ SOPInstanceUID: '2.25.9' })])),
    );
    const instances = await pacs.list(studyUid);
    expect(instances.map(({ key, failure }) => [key, failure])).toEqual([
      [filmUid, null],
      ['2.25.9', null],
    ]);
    expect(peer.asked.map(({ method, path, accept }) => [method, path, accept])).toEqual([
      ['GET', `/dicom-web/studies/${studyUid}/metadata`, 'application/dicom+json'],
    ]);
  });

  test.each<[string, (response: ServerResponse) => unknown, string]>([
    ['an HTML page', (r) => r.setHeader('content-type', 'text/html').end('<html>Log in</html>'), 'pacs-not-dicomweb'],
    [
      'HTML that calls itself JSON',
      (r) => r.setHeader('content-type', 'application/json').end('<html>'),
      'pacs-incomplete',
    ],
    [
      'XML',
      (r) => r.setHeader('content-type', 'application/dicom+xml').end('<NativeDicomModel/>'),
      'pacs-not-dicomweb',
    ],
    ['JSON that is no list', (r) => json(r, { message: 'hello' }), 'pacs-not-dicomweb'],
    [
      'a multipart answer, whose reader in dicomweb-client takes cut bodies',
      (r) => r.setHeader('content-type', 'multipart/related; boundary=x').end('--x\r\n\r\nabc'),
      'pacs-not-dicomweb',
    ],
    [
      'JSON without its end',
      (r) => r.setHeader('content-type', 'application/dicom+json').end('[{"00080018":'),
      'pacs-incomplete',
    ],
    ['status 500', (r) => r.writeHead(500).end(), 'pacs-unavailable'],
    ['status 401', (r) => r.writeHead(401).end(), 'pacs-unauthorized'],
    ['status 400', (r) => r.writeHead(400).end(), 'pacs-refused'],
  ])('of %s is told by its own code (faults 24, 25, 29)', async (_name, metadata, code) => {
    const { pacs } = await start(listing(metadata));
    expect((await failureOf(pacs.list(studyUid))).code).toBe(code);
  });

  test('from a busy archive is put off for as long as it asks (fault 23)', async () => {
    const { pacs } = await start(listing((response) => response.writeHead(503, { 'retry-after': '12' }).end()));
    const { code, detail } = await failureOf(pacs.list(studyUid));
    expect([code, detail.retryAfterSeconds]).toEqual(['pacs-busy', 12]);
  });

  test('that drips ends at the deadline (fault 27)', async () => {
    const answer = listing((response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const { pacs } = await start(answer, 300);
    expect((await failureOf(pacs.list(studyUid))).code).toBe('pacs-timeout');
  });

  test.each<[string, (response: ServerResponse) => unknown, readonly unknown[], string]>([
    ['gone', notFound, [], 'source-gone'],
    ['gone, and the list empty', (r) => json(r, []), [], 'source-gone'],
    ['gone, and the search takes no key', notFound, [row({ StudyInstanceUID: '2.25.1' })], 'source-gone'],
    ['hidden by a second patient', notFound, [row(), row({ PatientID: 'PH-8' })], 'identity-conflict'],
    [
      'hidden by a second issuer',
      notFound,
      [row({ IssuerOfPatientID: 'A' }), row({ IssuerOfPatientID: 'B' })],
      'identity-conflict',
    ],
    ['listed and yet not given', notFound, [row()], 'pacs-incomplete'],
  ])('of a study that is %s is never an empty success (faults 4 and 8, T20)', async (_name, metadata, rows, code) => {
    const { pacs } = await start(listing(metadata, rows));
    expect((await failureOf(pacs.list(studyUid))).code).toBe(code);
  });

  test('keeps an object that cannot be asked for as one with a failure, because nothing is dropped', async () => {
    const bad = [
      { ...row(), '00080018': { vr: 'UI', Value: ['../../etc/passwd'] } },
      row({ StudyInstanceUID: '2.25.1', SOPInstanceUID: '2.25.11' }),
      'text',
      { '00080018': 7 },
      row(),
      row(),
    ];
    const { pacs } = await start(listing((response) => json(response, bad)));
    const instances = await pacs.list(studyUid);
    expect(instances.map(({ key, failure }) => [key, failure?.code ?? null])).toEqual([
      ['object 1', 'invalid-identifier'],
      ['2.25.11', 'wrong-object'],
      ['object 3', 'malformed-dicom'],
      ['object 4', 'malformed-dicom'],
      [filmUid, null],
      [`${filmUid} (2)`, null],
    ]);
    expect(JSON.stringify(instances)).not.toContain('passwd');
  });

  test('with __proto__ in it changes no object of ours (T11)', async () => {
    const text = JSON.stringify([row()]).replace('{', '{"__proto__":{"vr":"LO","Value":["x"]},');
    const { pacs } = await start(listing((r) => r.setHeader('content-type', 'application/dicom+json').end(text)));
    const [instance] = await pacs.list(studyUid);
    expect(instance?.failure?.code).toBe('malformed-dicom');
    expect(({} as Record<string, unknown>)['vr']).toBeUndefined();
  });
});

describe('the patients of a study', () => {
  test('are one a row, so that two under one UID are seen (fault 8)', async () => {
    const rows = [row({ IssuerOfPatientID: 'A' }), row({ PatientID: null }), row({ StudyInstanceUID: '2.25.1' })];
    const { pacs } = await start(listing(notFound, rows));
    expect(await pacs.patients(studyUid)).toEqual([
      { PatientID: 'PH-7', IssuerOfPatientID: 'A' },
      { PatientID: null, IssuerOfPatientID: null },
    ]);
  });
});

describe('a UID', () => {
  test('that is hostile never becomes a request (T1, T2)', async () => {
    const { pacs, peer } = await start(notFound);
    const parts = fc.constantFrom(
      '..',
      '/',
      '%2e',
      '?',
      '#',
      '\\',
      '1.2',
      '\0',
      '.',
      ' ',
      '\n',
      '@evil/',
      '9'.repeat(70),
    );
    const hostile = fc
      .oneof(
        fc.string(),
        fc.array(parts, { maxLength: 8 }).map((all) => all.join('')),
      )
      .filter((uid) => !isUid(uid.replaceAll(/[ \0]/g, '')));
    await fc.assert(
      fc.asyncProperty(hostile, async (uid) => {
        const header = { ...row(), '0020000E': { vr: 'UI', Value: [uid] } };
        expect((await failureOf(pacs.list(uid))).code).toBe('invalid-identifier');
        expect((await failureOf(pacs.patients(uid))).code).toBe('invalid-identifier');
        expect((await failureOf(pacs.fetch({ key: 'x', header, failure: null }))).code).toBe('invalid-identifier');
      }),
      { numRuns: 500 },
    );
    expect(peer.asked).toHaveLength(0);
  });
});

const film: Instance = { key: filmUid, header: makeHeader(), failure: null };
const file = Buffer.from(makeFile());

function multipart(body: Uint8Array, boundary = 'b42'): Buffer {
  const head = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--`)]);
}
const multipartType = { 'content-type': 'multipart/related; type="application/dicom"; boundary=b42' };
const spooled = () => readdir(join(folder, 'spool')).catch(() => []);

describe('a retrieval', () => {
  test('brings the very bytes into a file that no data named and no other user reads', async () => {
    const { pacs, peer } = await start((response) => response.writeHead(200, multipartType).end(multipart(file)));
    const path = await pacs.fetch(film);
    expect((await readFile(path)).equals(file)).toBe(true);
    expect(path).not.toContain('2.25');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'spool'))).mode & 0o777).toBe(0o700);
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
      const { pacs } = await start((response) => {
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
    const { pacs } = await start((response) => response.writeHead(200, multipartType).end(whole.subarray(0, cut)));
    for (cut = 1; cut < whole.length; cut += 997) {
      expect((await failureOf(pacs.fetch(film))).code).toBe('pacs-incomplete');
    }
  });

  test('asks for what the archive accepts, and remembers it (fault 31)', async () => {
    const { pacs, peer } = await start((response, { accept }) => {
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
    const { pacs } = await start(answer);
    expect((await failureOf(pacs.fetch(film))).code).toBe(code);
    expect(await spooled()).toEqual([]);
  });

  test('of an object that is gone asks whether the study is (fault 4)', async () => {
    const { pacs } = await start(
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
    const spoolFolder = join(folder, 'spool');
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
    await writeFile(join(folder, 'spool'), 'in the way');
    const { pacs } = await start((response) => response.writeHead(200, multipartType).end(whole));
    expect((await failureOf(pacs.fetch(film))).code).toBe('store-failed');
  });

  test('gets more time for more pixels, because a slow line is no fault', async () => {
    const { pacs } = await start((response) => {
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
    const { pacs } = await start((response, asked) => {
      if (isMetadata(asked)) json(response, [hostile]);
      else response.writeHead(200, { ...multipartType, 'content-location': uri, link: `<${uri}>` }).end(whole);
    });
    const [instance] = await pacs.list(studyUid);
    await pacs.release(await pacs.fetch(instance!));
    expect(elsewhere.asked).toHaveLength(0);
  });
});
