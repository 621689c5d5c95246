import { describe, expect, test } from '@jest/globals';
import type { Artifact, Receipt } from '../../src/core/ports.ts';
import type { Dataset } from '../../src/core/study.ts';
import { failureOf, type Peer } from '../net/peer.ts';
import { makeArtifact, studyUid } from './objects.ts';
import { change, item, json, keep, reason, startArchive, verdict, warning } from './results-archive.ts';

/** Section 3 of the faults: what counts as stored. */

const sr = makeArtifact('sr');
const heatmap = makeArtifact('heatmap');
const both: readonly Artifact[] = [sr, heatmap];
const posts = ({ asked }: Peer) => asked.filter(({ method }) => method === 'POST');

describe('results', () => {
  test('go in one request, the picture first, as they are, because a report must not point to nothing', async () => {
    const { destination, peer } = await startArchive();
    const receipts = await destination.deliver(both);
    expect(receipts).toEqual([
      { artifact: 'heatmap-1', destination: 'pacs', storedAt: '2026-03-14T12:00:00.000Z', note: 'stored' },
      { artifact: 'sr', destination: 'pacs', storedAt: '2026-03-14T12:00:00.000Z', note: 'stored' },
    ]);
    const [post, ...more] = posts(peer);
    expect(more).toEqual([]);
    expect(post?.path).toBe('/dicom-web/studies');
    expect(post?.body.indexOf(Buffer.from(heatmap.bytes))).toBeLessThan(post?.body.indexOf(Buffer.from(sr.bytes)) ?? 0);
    expect(post?.body.includes(Buffer.from(heatmap.bytes))).toBe(true);
  });

  test('are sent as the same bytes when they are sent again, and are one object then (fault 42)', async () => {
    const { destination, peer } = await startArchive();
    await destination.deliver(both);
    await destination.deliver(both);
    const [first, second] = posts(peer);
    expect(first?.body.equals(second!.body)).toBe(true);
  });

  test('carry the warnings of the archive in their receipt (fault 38)', async () => {
    const { destination } = await startArchive({
      store: (response, objects, store) => {
        keep(objects, store);
        json(response, verdict(objects.map((object) => item(object, warning(0xb000)))), 202);
      },
    });
    expect((await destination.deliver([sr]))[0]?.note).toBe('stored, warning reason B000H');
  });
});

test('a picture whose class the archive refuses costs the report nothing: its receipt is kept, and the failure told (fault 43)', async () => {
  const { destination } = await startArchive({
    store: (response, objects, store) => {
      const isReport = (object: Dataset) => object['00080016']?.Value?.[0] !== heatmap.SOPClassUID;
      const [reports, pictures] = [objects.filter(isReport), objects.filter((object) => !isReport(object))];
      keep(reports, store);
      json(
        response,
        verdict(
          reports.map((each) => item(each)),
          pictures.map((each) => item(each, reason(0x0122))),
        ),
        202,
      );
    },
  });
  const kept: Receipt[] = [];
  const failure = await failureOf(destination.deliver(both, async (receipts) => void kept.push(...receipts)));
  expect([failure.code, failure.class]).toEqual(['pacs-store-refused', 'permanent']);
  expect(kept.map(({ artifact, note }) => [artifact, note])).toEqual([['sr', 'stored']]);
  // And nothing is kept where nothing was confirmed.
  expect((await failureOf(destination.deliver([heatmap], async () => expect('called').toBe('never')))).code).toBe(
    'pacs-store-refused',
  );
});

describe('the status of the answer decides nothing:', () => {
  test('200 and listed, but not stored, is not done (fault 40)', async () => {
    const { destination, waits } = await startArchive({
      store: (response, objects) => json(response, verdict(objects.map((object) => item(object)))),
    });
    const failure = await failureOf(destination.deliver([sr]));
    expect([failure.code, failure.class]).toEqual(['pacs-unconfirmed', 'ambiguous']);
    expect(waits.reduce((sum, ms) => sum + ms)).toBe(5000);
  });

  test('200 and nothing listed, not stored, is not done (fault 40, Orthanc without the closing boundary)', async () => {
    const { destination } = await startArchive({ store: (response) => json(response, verdict([])) });
    expect((await failureOf(destination.deliver([sr]))).code).toBe('pacs-unconfirmed');
  });

  test('an object that was not shown in time is asked for before it is sent again, for as long as it takes (fault 40)', async () => {
    let shown = false;
    const { destination, peer } = await startArchive({ show: (object) => (shown ? object : null) });
    expect((await failureOf(destination.deliver([sr]))).code).toBe('pacs-unconfirmed');
    // Not there yet: it is asked for, and then sent again.
    expect((await failureOf(destination.deliver([sr]))).code).toBe('pacs-unconfirmed');
    expect(posts(peer)).toHaveLength(2);
    shown = true;
    expect((await destination.deliver([sr])).map(({ note }) => note)).toEqual(['not listed as stored, but read back']);
    expect(posts(peer)).toHaveLength(2);
    // Without a doubt it is sent: the archive may have been restored from a backup.
    await destination.deliver([sr]);
    expect(posts(peer)).toHaveLength(3);
  });

  test('413 of both together sends each alone: the report is done, and the site is told what to set (fault 45)', async () => {
    const { destination, peer } = await startArchive({
      store: (response, objects, store) => {
        const large =
          objects.length > 1 || objects.some((object) => object['00080016']?.Value?.[0] === heatmap.SOPClassUID);
        if (large) return response.writeHead(413).end();
        keep(objects, store);
        json(response, verdict(objects.map((object) => item(object))));
      },
    });
    const kept: Receipt[] = [];
    const failure = await failureOf(destination.deliver(both, async (receipts) => void kept.push(...receipts)));
    expect([failure.code, failure.class]).toEqual(['pacs-too-large', 'permanent']);
    expect(failure.message).toMatch(/heatmap-1.*an archive that takes \d+ bytes, or a smaller heatmapMaxSide/);
    expect(kept.map(({ artifact }) => artifact)).toEqual(['sr']);
    expect(posts(peer)).toHaveLength(3);
  });

  test('an object that appears late is done when it appears (fault 40, asynchronous ingest)', async () => {
    const { destination, waits } = await startArchive({ show: (object, look) => (look < 5 ? null : object) });
    expect(await destination.deliver([sr])).toHaveLength(1);
    expect(waits.length).toBeGreaterThan(1);
  });

  test.each([400, 409])(
    '%i and stored all the same is done, because it is read back (faults 39, 41)',
    async (status) => {
      const { destination } = await startArchive({
        store: (response, objects, store) => {
          keep(objects, store);
          json(response, verdict([]), status);
        },
      });
      expect((await destination.deliver([sr]))[0]?.note).toBe('not listed as stored, but read back');
    },
  );

  test.each([400, 409])('%i and not stored is refused, without waiting', async (status) => {
    const { destination, waits } = await startArchive({ store: (response) => json(response, verdict([]), status) });
    expect((await failureOf(destination.deliver([sr]))).code).toBe('pacs-store-refused');
    expect(waits).toEqual([]);
  });

  test('an answer that is lost after the object was stored is done (fault 42)', async () => {
    const { destination, peer } = await startArchive({
      store: (response, objects, store) => {
        keep(objects, store);
        response.destroy();
      },
    });
    expect((await destination.deliver(both)).map(({ artifact }) => artifact)).toEqual(['heatmap-1', 'sr']);
    expect(posts(peer)).toHaveLength(1);
  });

  test('an answer that is lost before it was stored is a lost request, to be sent again', async () => {
    const { destination } = await startArchive({ store: (response) => response.destroy() });
    expect((await failureOf(destination.deliver(both))).code).toBe('pacs-unavailable');
  });

  test('an empty answer, or a page, is no verdict', async () => {
    for (const body of ['', '<html>thanks</html>', '[]', '{"00081199":7}']) {
      const { destination } = await startArchive({
        store: (response, objects, store) => {
          keep(objects, store);
          response.end(body);
        },
      });
      expect((await destination.deliver([sr]))[0]?.note).toBe('not listed as stored, but read back');
    }
  });
});

describe('a failure reason', () => {
  test.each([
    [0xa700, 'pacs-store-failed', 'transient'],
    [0xa7ff, 'pacs-store-failed', 'transient'],
    [0x0110, 'pacs-store-failed', 'transient'],
    [0x0122, 'pacs-store-refused', 'permanent'],
    [0xa900, 'pacs-store-refused', 'permanent'],
    [0xc000, 'pacs-store-refused', 'permanent'],
    [0xc122, 'pacs-store-refused', 'permanent'],
    [45070, 'pacs-unconfirmed', 'ambiguous'],
    [45071, 'pacs-unconfirmed', 'ambiguous'],
    [0x0111, 'pacs-unconfirmed', 'ambiguous'],
  ])('%i of an object that is not there is %s (fault 38)', async (value, code, kind) => {
    const { destination } = await startArchive({
      store: (response, objects) =>
        json(
          response,
          verdict(
            [],
            objects.map((object) => item(object, reason(value))),
          ),
          409,
        ),
    });
    const failure = await failureOf(destination.deliver([sr]));
    expect([failure.code, failure.class]).toEqual([code, kind]);
    expect(failure.message).not.toContain(studyUid);
  });

  test.each([45070, 0x0110, 0x0111])(
    '%i of an object that is there means that it was there before (fault 41)',
    async (value) => {
      const { destination } = await startArchive({
        store: (response, objects, store) => {
          keep(objects, store);
          json(
            response,
            verdict(
              [],
              objects.map((object) => item(object, reason(value))),
            ),
            409,
          );
        },
      });
      expect((await destination.deliver([sr]))[0]?.note).toMatch(/^reason .*, but read back$/);
    },
  );

  test('of the picture does not keep the report from being stored, and is what the site is told (fault 43)', async () => {
    const { destination, peer } = await startArchive({
      store: (response, objects, store) => {
        const [picture, report] = objects;
        keep([report!], store);
        json(response, verdict([item(report!)], [item(picture!, reason(0x0122))]), 202);
      },
    });
    const failure = await failureOf(destination.deliver(both));
    expect([failure.code, failure.detail.where]).toEqual(['pacs-store-refused', 'STOW-RS, heatmap-1']);
    expect(peer.asked.filter(({ path }) => path.includes(sr.id)).length).toBeGreaterThan(0);
  });

  test('that may pass comes before one that stays, because the first is worth another try', async () => {
    const { destination } = await startArchive({
      store: (response, [picture, report]) =>
        json(response, verdict([], [item(picture!, reason(0x0122)), item(report!, reason(0xa700))]), 409),
    });
    expect((await failureOf(destination.deliver(both))).code).toBe('pacs-store-failed');
  });
});

describe('an archive that changes what it stores is found out (fault 44):', () => {
  test.each([
    ['another patient', '00100020', 'PH-8'],
    ['another class', '00080016', '1.2.840.10008.5.1.4.1.1.88.11'],
    ['another series', '0020000E', '2.25.999'],
    ['another study', '0020000D', '2.25.998'],
  ])('%s', async (_name, tag, value) => {
    const { destination } = await startArchive({ show: (object) => change(object, tag, value) });
    const failure = await failureOf(destination.deliver([sr]));
    expect([failure.code, failure.class]).toEqual(['pacs-altered', 'permanent']);
    expect(failure.message).not.toMatch(/PH-|2\.25/);
  });

  test('a patient that it takes away', async () => {
    const { destination } = await startArchive({ show: ({ '00100020': _, ...rest }) => rest });
    expect((await failureOf(destination.deliver([sr]))).detail.expected).toBe('PatientID as sent');
  });

  test('but no patient is what was sent of a study without one', async () => {
    const { destination } = await startArchive();
    expect(await destination.deliver([makeArtifact('sr', { PatientID: null })])).toHaveLength(1);
  });
});

describe('an archive that takes nothing', () => {
  test.each<[number, Record<string, string>, string]>([
    [413, {}, 'pacs-too-large'],
    [503, { 'retry-after': '5' }, 'pacs-busy'],
    [401, {}, 'pacs-unauthorized'],
    [415, {}, 'pacs-refused'],
    [404, {}, 'pacs-not-found'],
    [500, {}, 'pacs-unavailable'],
  ])('with status %i is told by its own code (faults 23 to 25, 45)', async (status, headers, code) => {
    const { destination } = await startArchive({ store: (response) => response.writeHead(status, headers).end() });
    expect((await failureOf(destination.deliver(both))).code).toBe(code);
  });

  test('because it is not there is told as such, after one look and no more', async () => {
    const { destination, peer } = await startArchive();
    await peer.close();
    expect((await failureOf(destination.deliver(both))).code).toBe('pacs-unavailable');
  });
});

test('an artifact that carries another UID than its id is a fault of ours, found before anything is sent', async () => {
  const { destination, peer } = await startArchive();
  expect((await failureOf(destination.deliver([{ ...sr, id: '2.25.1' }]))).code).toBe('internal');
  expect(peer.asked).toHaveLength(0);
});
