import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { partsOf, smallFilm, stow } from '../sandbox/objects.ts';

/** What the gateway relies on at a DICOMweb archive, asked by plain fetch: one suite for the simulator and for real servers. */

export interface ArchiveBench {
  /** DICOMweb root, no slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

type Row = Readonly<Record<string, { readonly vr: string; readonly Value?: readonly unknown[] }>>;

const tags = {
  study: '0020000D',
  instances: '00201208',
  modalities: '00080061',
  patient: '00100020',
  date: '00080020',
};
const multipart = 'multipart/related; type="application/dicom"; transfer-syntax=*';
/** Three studies of three days; the first has two series. */
const films = [
  smallFilm({ study: '2.25.31', image: '2.25.31.1.1', date: '20260101' }),
  smallFilm({ study: '2.25.31', series: '2.25.31.2', image: '2.25.31.2.1', date: '20260101', modality: 'OT' }),
  smallFilm({ study: '2.25.32', image: '2.25.32.1.1', date: '20260102', modality: 'CR' }),
  smallFilm({ study: '2.25.33', image: '2.25.33.1.1', date: '20260103' }),
];
const firstPath = '/studies/2.25.31/series/2.25.31.1/instances/2.25.31.1.1';

export function dicomwebArchiveContract(name: string, start: () => Promise<ArchiveBench>): void {
  describe(`${name} as a DICOMweb archive`, () => {
    let bench: ArchiveBench;
    beforeAll(async () => {
      bench = await start();
      for (const film of films) await (await stow(`${bench.url}/studies`, [film])).arrayBuffer();
    }, 60_000);
    afterAll(() => bench?.stop());

    const get = (path: string, accept = 'application/dicom+json') =>
      fetch(`${bench.url}${path}`, { headers: { accept } });
    const rows = async (path: string) => (await (await get(path)).json()) as readonly Row[];
    const studies = async (query: string) =>
      (await rows(`/studies?${query}`)).map((row) => row[tags.study]?.Value?.[0]).sort();
    const status = async (path: string, accept?: string) => {
      const answer = await get(path, accept);
      await answer.arrayBuffer();
      return answer.status;
    };
    const verdicts = async (answer: Response) => {
      const body = (await answer.json()) as Row;
      const uids = (tag: string) =>
        ((body[tag]?.Value ?? []) as readonly Row[]).map((item) => item['00081155']?.Value?.[0]);
      return { status: answer.status, stored: uids('00081199'), failed: uids('00081198') };
    };
    const bytesOf = async (path: string) => (await partsOf(await get(path, multipart)))[0];

    describe('searches', () => {
      test('by UID, for a row with patient and counts, because identity and growth are read from it', async () => {
        const includefield = [tags.patient, '00100021', tags.instances, tags.modalities].join(',');
        const [row, ...more] = await rows(`/studies?StudyInstanceUID=2.25.31&includefield=${includefield}`);
        expect(more).toEqual([]);
        expect(row?.[tags.patient]?.Value).toEqual(['SMALL-1']);
        expect(row?.[tags.instances]?.Value).toEqual([2]);
        expect([...(row?.[tags.modalities]?.Value ?? [])].sort()).toEqual(['DX', 'OT']);
        expect(await rows('/studies?StudyInstanceUID=2.25.99')).toEqual([]);
      });

      test('by modality and by a range of days with both its ends, because a poll asks so', async () => {
        expect(await studies('StudyDate=20260101-20260102')).toEqual(['2.25.31', '2.25.32']);
        expect(await studies('StudyDate=20260102-20260103&ModalitiesInStudy=DX')).toEqual(['2.25.33']);
        expect(await studies('ModalitiesInStudy=CR')).toEqual(['2.25.32']);
        expect(await studies('ModalitiesInStudy=MG')).toEqual([]);
      });

      test('page by page without gap or overlap, until a page is short', async () => {
        const query = 'StudyDate=20260101-20260103&limit=2';
        const [first, second, third] = [
          await studies(query),
          await studies(`${query}&offset=2`),
          await studies(`${query}&offset=4`),
        ];
        expect([first.length, second.length, third.length]).toEqual([2, 1, 0]);
        expect([...first, ...second].sort()).toEqual(['2.25.31', '2.25.32', '2.25.33']);
      });

      test('for one instance anywhere, because an object of ours may have come under another study', async () => {
        const [row, ...more] = await rows('/instances?SOPInstanceUID=2.25.32.1.1&includefield=0020000D,0020000E');
        expect([row?.[tags.study]?.Value, more]).toEqual([['2.25.32'], []]);
        expect(await rows('/instances?SOPInstanceUID=2.25.98')).toEqual([]);
      });
    });

    describe('gives', () => {
      test('the metadata of a study and of an instance, without pixels', async () => {
        const headers = await rows('/studies/2.25.31/metadata');
        expect(headers.map((header) => header['00080018']?.Value?.[0]).sort()).toEqual(['2.25.31.1.1', '2.25.31.2.1']);
        const [header] = await rows(`${firstPath}/metadata`);
        expect([header?.['00280010']?.Value, header?.['7FE00010']?.Value]).toEqual([[2], undefined]);
      });

      test('an object as the very bytes that it was sent', async () => {
        expect((await bytesOf(firstPath))?.equals(films[0]!)).toBe(true);
      });

      test('404 for a study, an instance and metadata that it has not', async () => {
        expect(await status('/studies/2.25.99/metadata')).toBe(404);
        expect(await status('/studies/2.25.31/series/2.25.31.1/instances/2.25.99', multipart)).toBe(404);
        expect(await status('/studies/2.25.31/series/2.25.31.1/instances/2.25.99/metadata')).toBe(404);
      });
    });

    describe('stores', () => {
      test('a new object, lists it and gives it back', async () => {
        const film = smallFilm({ study: '2.25.34', image: '2.25.34.1.1' });
        const answer = await verdicts(await stow(`${bench.url}/studies`, [film]));
        expect(answer).toEqual({ status: 200, stored: ['2.25.34.1.1'], failed: [] });
        expect((await bytesOf('/studies/2.25.34/series/2.25.34.1/instances/2.25.34.1.1'))?.equals(film)).toBe(true);
      });

      test('the same object again as one, because a retry sends it so', async () => {
        const again = await verdicts(await stow(`${bench.url}/studies`, [films[0]!]));
        expect(again).toEqual({ status: 200, stored: ['2.25.31.1.1'], failed: [] });
        expect(await rows('/studies/2.25.31/metadata')).toHaveLength(2);
      });

      test('not a changed object under an old UID, though it says so: the first bytes stay', async () => {
        const changed = smallFilm({ study: '2.25.31', image: '2.25.31.1.1', date: '20260101', pixel: 99 });
        expect(await verdicts(await stow(`${bench.url}/studies`, [changed]))).toMatchObject({ status: 200 });
        expect((await bytesOf(firstPath))?.equals(films[0]!)).toBe(true);
      });

      test('two objects of one request, each with a verdict', async () => {
        const pair = ['1', '2'].map((image) => smallFilm({ study: '2.25.35', image: `2.25.35.1.${image}` }));
        const answer = await verdicts(await stow(`${bench.url}/studies`, pair));
        expect([answer.status, [...answer.stored].sort()]).toEqual([200, ['2.25.35.1.1', '2.25.35.1.2']]);
      });

      test('nothing of a body without its closing boundary', async () => {
        const film = smallFilm({ study: '2.25.36', image: '2.25.36.1.1' });
        await (await stow(`${bench.url}/studies`, [film], { end: '' })).arrayBuffer();
        expect(await status('/studies/2.25.36/metadata')).toBe(404);
      });
    });
  });
}
