import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import { type Attributes, build, codeItem } from '../../src/dicom/build.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { partsOf, smallFilm, stow } from './objects.ts';

type Json = Record<string, { vr: string; Value?: unknown[] }>;

let archive: RunningArchive;
beforeEach(async () => {
  archive = await startArchive();
});
afterEach(() => archive.close());

const get = (path: string, accept = 'application/dicom+json') =>
  fetch(`${archive.url}${path}`, { headers: { accept } });
const rows = async (path: string) => (await (await get(path)).json()) as Json[];
const instancePath = '/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1';

describe('STOW-RS', () => {
  test('what is stored comes back byte for byte, because an SR is confirmed by comparing what was sent', async () => {
    const files = [smallFilm({ image: '1.2.3.1.1' }), smallFilm({ image: '1.2.3.1.2', pixel: 60 })];
    const answer = await stow(`${archive.url}/studies`, files);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as Json;
    expect(body['00081199']!.Value).toHaveLength(2);
    expect(body['00081198']).toEqual({ vr: 'SQ' });

    const [one] = await partsOf(await get(instancePath, 'multipart/related; type="application/dicom"'));
    expect(one!.equals(files[0]!)).toBe(true);
    const both = await partsOf(await get('/studies/1.2.3', 'multipart/related; type="application/dicom"'));
    expect(both.map((part, index) => part.equals(files[index]!))).toEqual([true, true]);
  });

  test('a changed object under an old UID is answered 200 and not kept, because Orthanc does so and a gateway must notice', async () => {
    const first = smallFilm({ image: '1.2.3.1.1', pixel: 1 });
    await stow(`${archive.url}/studies`, [first]);
    const again = await stow(`${archive.url}/studies`, [smallFilm({ image: '1.2.3.1.1', pixel: 99 })]);
    expect(again.status).toBe(200);
    expect(((await again.json()) as Json)['00081199']!.Value).toHaveLength(1);
    expect(Buffer.from(archive.studies()[0]!.instances[0]!.bytes).equals(first)).toBe(true);
  });

  test('an object of another study than the URL is refused by name: 409 alone, 202 beside a good one', async () => {
    const [good, other] = [smallFilm({ image: '1.2.3.1.1' }), smallFilm({ study: '9.9', image: '9.9.1.1' })];
    const alone = await stow(`${archive.url}/studies/1.2.3`, [other]);
    expect(alone.status).toBe(409);
    const mixed = await stow(`${archive.url}/studies/1.2.3`, [good, other]);
    expect(mixed.status).toBe(202);
    const [failure] = ((await mixed.json()) as Json)['00081198']!.Value as Json[];
    expect(failure!['00081155']!.Value).toEqual(['9.9.1.1']);
    expect(failure!['00081197']!.Value).toEqual([272]);
    expect(archive.studies()).toHaveLength(1);
  });

  test('a part that is no DICOM is counted under OtherFailuresSequence, because it has no UID to be named by', async () => {
    const answer = await stow(`${archive.url}/studies`, [Buffer.from('<html>')]);
    expect(answer.status).toBe(409);
    expect(((await answer.json()) as Json)['0008119A']!.Value).toHaveLength(1);
  });

  test('a body without its closing boundary stores nothing, because half a study must not look whole', async () => {
    const answer = await stow(`${archive.url}/studies`, [smallFilm({ image: '1.2.3.1.1' })], { end: '' });
    expect(answer.status).toBe(400);
    expect(archive.studies()).toEqual([]);
  });

  test('boundary letters inside the pixels do not cut a part, because only a whole delimiter line counts', async () => {
    const film = smallFilm({ image: '1.2.3.1.1', patientName: 'x--b--x' });
    expect((await stow(`${archive.url}/studies`, [film], { boundary: 'b' })).status).toBe(200);
    expect(Buffer.from(archive.studies()[0]!.instances[0]!.bytes).equals(film)).toBe(true);
  });

  test('another media type is 415', async () => {
    const answer = await fetch(`${archive.url}/studies`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(415);
  });
});

describe('QIDO-RS', () => {
  beforeEach(async () => {
    const films = [
      smallFilm({ study: '1.2.3', image: '1.2.3.1.1', date: '20260101' }),
      smallFilm({ study: '1.2.3', series: '1.2.3.2', image: '1.2.3.2.1', date: '20260101', modality: 'OT' }),
      smallFilm({ study: '1.2.4', image: '1.2.4.1.1', date: '20260102', modality: 'CR' }),
      smallFilm({ study: '1.2.5', image: '1.2.5.1.1', date: '20260103', patientName: 'OTHER^NAME' }),
    ];
    await stow(`${archive.url}/studies`, films);
  });
  const uids = async (query: string) =>
    (await rows(`/studies?${query}`)).map((row) => row['0020000D']!.Value![0] as string);

  test('a date range holds both its ends and may be open, because a poll asks from two days ago', async () => {
    expect(await uids('StudyDate=20260101-20260102')).toEqual(['1.2.3', '1.2.4']);
    expect(await uids('StudyDate=20260102-')).toEqual(['1.2.4', '1.2.5']);
    expect(await uids('StudyDate=-20260101')).toEqual(['1.2.3']);
    expect(await uids('StudyDate=20260103')).toEqual(['1.2.5']);
  });

  test('pages follow one another without gap or overlap, and say when more is left', async () => {
    expect(await uids('limit=2')).toEqual(['1.2.3', '1.2.4']);
    expect(await uids('limit=2&offset=2')).toEqual(['1.2.5']);
    expect(await uids('limit=2&offset=4')).toEqual([]);
    expect((await get('/studies?limit=2')).headers.get('warning')).toMatch(/^299 .* 1 additional/);
    expect((await get('/studies?limit=2&offset=2')).headers.get('warning')).toBeNull();
    expect((await get('/studies?limit=two')).status).toBe(400);
  });

  test('modalities match as a comma list, repeated, and over all series of a study', async () => {
    expect(await uids('ModalitiesInStudy=CR,OT')).toEqual(['1.2.3', '1.2.4']);
    expect(await uids('ModalitiesInStudy=CR&ModalitiesInStudy=OT')).toEqual(['1.2.3', '1.2.4']);
    // As in Orthanc: the backslash of DIMSE is no list here.
    expect(await uids('ModalitiesInStudy=CR%5COT')).toEqual([]);
  });

  test('UIDs match as a list, names with wildcards, and unknown keys are ignored', async () => {
    expect(await uids('StudyInstanceUID=1.2.5,1.2.3')).toEqual(['1.2.3', '1.2.5']);
    expect(await uids('PatientName=other*')).toEqual(['1.2.5']);
    expect(await uids('0020000D=1.2.4')).toEqual(['1.2.4']);
    expect(await uids('NoSuchKey=1')).toHaveLength(3);
  });

  test('nothing found is 200 with an empty list, because Orthanc answers so where the standard says 204', async () => {
    const answer = await get('/studies?PatientID=NOBODY');
    expect([answer.status, await answer.json()]).toEqual([200, []]);
  });

  test('a study row counts its series and instances; series and instance rows stay in their study', async () => {
    const [study] = await rows('/studies?StudyInstanceUID=1.2.3');
    expect(study!['00201206']!.Value).toEqual([2]);
    expect(study!['00201208']!.Value).toEqual([2]);
    expect(study!['00080061']!.Value).toEqual(['DX', 'OT']);
    expect(study!['00081190']!.Value).toEqual([`${archive.url}/studies/1.2.3`]);
    expect(await rows('/studies/1.2.3/series')).toHaveLength(2);
    expect(await rows('/studies/1.2.3/instances')).toHaveLength(2);
    expect(await rows('/studies/1.2.3/series/1.2.3.2/instances')).toHaveLength(1);
    expect(await rows('/instances')).toHaveLength(4);
  });

  test('includefield adds what is not returned by itself, one by one or all', async () => {
    const fields = async (query: string) => Object.keys((await rows(`/instances?limit=1&${query}`))[0]!);
    expect(await fields('')).not.toContain('00280004');
    expect(await fields('includefield=PhotometricInterpretation')).toContain('00280004');
    expect(await fields('includefield=00280004,00280101')).toEqual(expect.arrayContaining(['00280004', '00280101']));
    expect(await fields('includefield=all')).toContain('00280102');
  });
});

describe('WADO-RS', () => {
  beforeEach(async () => {
    await stow(`${archive.url}/studies`, [smallFilm({ image: '1.2.3.1.1' })]);
  });

  test('metadata holds the header without pixel data', async () => {
    const [header] = await rows(`${instancePath}/metadata`);
    expect(header!['00100010']!.Value).toEqual([{ Alphabetic: 'PHANTOM^SMALL' }]);
    expect(Object.keys(header!)).not.toContain('7FE00010');
  });

  test('only multipart DICOM as stored is served: single part 400, transcoding 406, unknown object 404', async () => {
    const accept = (transferSyntax: string) =>
      `multipart/related; type="application/dicom"; transfer-syntax=${transferSyntax}`;
    expect((await get(instancePath, accept('*'))).status).toBe(200);
    expect((await get(instancePath, accept('1.2.840.10008.1.2.1'))).status).toBe(200);
    expect((await get(instancePath, accept('1.2.840.10008.1.2.4.90'))).status).toBe(406);
    expect((await get(instancePath, 'application/dicom')).status).toBe(400);
    expect((await get('/studies/1.2.3/series/1/instances/1', accept('*'))).status).toBe(404);
  });

  test('a rendered instance is a PNG for a person to look at', async () => {
    const answer = await get(`${instancePath}/rendered`, 'image/png');
    expect(answer.headers.get('content-type')).toBe('image/png');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([4, 2]);
  });
});

describe('rendered results', () => {
  const shown = async (attributes: Attributes) => {
    const identity = {
      SpecificCharacterSet: 'ISO_IR 192',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
      SOPInstanceUID: '1.2.3.1.1',
      StudyInstanceUID: '1.2.3',
      SeriesInstanceUID: '1.2.3.1',
    };
    await stow(`${archive.url}/studies`, [writePart10(build({ ...identity, ...attributes }))]);
    return get(`${instancePath}/rendered`, '*/*');
  };

  test('a colour picture is shown in its colours, because that is how a heat-map is looked at', async () => {
    const answer = await shown({
      SamplesPerPixel: 3,
      PhotometricInterpretation: 'RGB',
      PlanarConfiguration: 0,
      Rows: 1,
      Columns: 2,
      BitsAllocated: 8,
      BitsStored: 8,
      HighBit: 7,
      PixelRepresentation: 0,
      PixelData: Uint8Array.of(255, 0, 0, 0, 0, 255),
    });
    const png = Buffer.from(await answer.arrayBuffer());
    const data = png.indexOf('IDAT');
    const pixels = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
    // One line: filter 0, then red and blue.
    expect([...pixels]).toEqual([0, 255, 0, 0, 0, 0, 255]);
  });

  test('a structured report is a page of its names and values, and markup in it stays text', async () => {
    const name = (CodeMeaning: string) => [codeItem({ CodeValue: '1', CodingSchemeDesignator: 'DCM', CodeMeaning })];
    const item = build({ ValueType: 'TEXT', ConceptNameCodeSequence: name('Comment'), TextValue: '<b>no</b>' });
    const answer = await shown({ ConceptNameCodeSequence: name('Imaging Report'), ContentSequence: [item] });
    expect(answer.headers.get('content-type')).toBe('text/html;charset=utf-8');
    expect(await answer.text()).toContain('<li>Comment: <b>&lt;b&gt;no&lt;/b&gt;</b></li>');
  });

  test('what is no picture and no report is 406', async () => {
    expect((await shown({ Modality: 'OT' })).status).toBe(406);
  });
});

describe('the archive as a whole', () => {
  test('a folder holds the objects over a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cxr-sandbox-'));
    const first = await startArchive({ folder });
    await stow(`${first.url}/studies`, [smallFilm({ image: '1.2.3.1.1' })]);
    const before = Buffer.from(first.studies()[0]!.instances[0]!.bytes);
    await first.close();
    const second = await startArchive({ folder });
    expect(readdirSync(folder)).toEqual(['1.2.3.1.1.dcm']);
    expect(Buffer.from(second.studies()[0]!.instances[0]!.bytes).equals(before)).toBe(true);
    await second.close();
    rmSync(folder, { recursive: true });
  });

  test('a handler handed in stands before all others, because simulators make the archive misbehave through it', async () => {
    const seen: string[] = [];
    const before: RequestHandler = (request, response, next) => {
      seen.push(`${request.method} ${request.path}`);
      if (request.path.endsWith('/series')) response.status(503).end();
      else next();
    };
    const simulated = await startArchive({ before });
    expect((await fetch(`${simulated.url}/series`)).status).toBe(503);
    expect((await fetch(`${simulated.url}/studies`)).status).toBe(200);
    expect(seen).toEqual(['GET /dicom-web/series', 'GET /dicom-web/studies']);
    await simulated.close();
  });

  test('it listens on loopback only', () => {
    expect(new URL(archive.url).hostname).toBe('127.0.0.1');
  });
});
