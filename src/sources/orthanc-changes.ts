import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { Memory, Source } from '../core/ports.ts';
import type { Http } from '../net/http.ts';
import { type Loop, repeat } from './loop.ts';

/**
 * Follows the changes of an Orthanc by their sequence number (its REST API, `GET /changes`) and announces every study that
 * became stable. The place is remembered by number and by what stood there: when the number is gone from the end, or
 * another change stands under it, the sequence began anew, and all changes are read again. Announcing twice is harmless.
 */
export interface OrthancChanges {
  /** Its roots hold `orthancUrl`. */
  readonly http: Http;
  readonly orthancUrl: string;
  readonly everySeconds: number;
  /** Where to begin at the first start: at the end of the changes, or with the first. */
  readonly startFrom: 'now' | 'everything';
  readonly memory: Memory;
  readonly report: Loop['report'];
  readonly wait?: Loop['wait'];
  readonly leads?: Loop['leads'];
}

const pageSize = 100;

const changeSchema = z.object({ ChangeType: z.string(), ID: z.string(), Seq: z.number().int() });
const pageSchema = z.object({ Changes: z.array(changeSchema), Done: z.boolean(), Last: z.number().int() });
const studySchema = z.object({ MainDicomTags: z.object({ StudyInstanceUID: z.string() }) });
/** The last change that was dealt with; `id` null: none yet. */
const placeSchema = z.object({ seq: z.number().int(), id: z.string().nullable() });

type Page = z.output<typeof pageSchema>;
type Place = z.output<typeof placeSchema>;

const start: Place = { seq: 0, id: null };

export function createOrthancChanges(options: OrthancChanges): Source {
  const { everySeconds, report, wait, leads } = options;
  const name = 'orthanc-changes';
  return {
    name,
    run: (announce, signal) => {
      const work = () =>
        follow(
          options,
          (studyInstanceUid) => announce({ studyInstanceUid, source: name, priority: 'routine' }),
          signal,
        );
      const given = { ...(wait && { wait }), ...(leads && { leads }) };
      return repeat(work, { everyMs: everySeconds * 1000, signal, report, ...given });
    },
  };
}

/** Everything from the remembered place to the end. The place moves page by page, behind the announcements. */
async function follow(
  options: OrthancChanges,
  announce: (uid: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const remembered = placeSchema.safeParse(await options.memory.get('place'));
  let place = remembered.success ? remembered.data : await remember(options, await firstPlace(options));
  if (await beganAnew(options, place)) place = start;
  for (;;) {
    const page = await changesSince(options, place.seq);
    for (const id of stableStudies(page)) {
      const uid = await studyInstanceUidOf(options, id);
      if (uid !== null) await announce(uid);
    }
    const last = page.Changes.at(-1);
    if (last) place = await remember(options, { seq: last.Seq, id: last.ID });
    if (page.Done || !last || signal.aborted) return;
  }
}

async function remember({ memory }: OrthancChanges, place: Place): Promise<Place> {
  await memory.set('place', place);
  return place;
}

async function firstPlace(options: OrthancChanges): Promise<Place> {
  if (options.startFrom === 'everything') return start;
  const page = await lastChange(options);
  const last = page.Changes.at(-1);
  return last ? { seq: last.Seq, id: last.ID } : start;
}

/** Fault 36. A change that was deleted with its study proves nothing: only another one under its number does. */
async function beganAnew(options: OrthancChanges, { seq, id }: Place): Promise<boolean> {
  if (id === null) return false;
  const page = await changesSince(options, seq - 1, 1);
  const there = page.Changes[0];
  if (there) return there.Seq === seq && there.ID !== id;
  return (await lastChange(options)).Last < seq;
}

const stableStudies = (page: Page): readonly string[] => [
  ...new Set(page.Changes.filter(({ ChangeType }) => ChangeType === 'StableStudy').map(({ ID }) => ID)),
];

const changesSince = (options: OrthancChanges, since: number, limit = pageSize): Promise<Page> =>
  get(options, `/changes?since=${since}&limit=${limit}`, pageSchema);

const lastChange = (options: OrthancChanges): Promise<Page> => get(options, '/changes?last', pageSchema);

/** Null when the study is gone, or is not one that can be asked for. */
async function studyInstanceUidOf(options: OrthancChanges, id: string): Promise<string | null> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/.test(id)) return null;
  try {
    const { MainDicomTags } = await get(options, `/studies/${id}`, studySchema);
    return isUid(MainDicomTags.StudyInstanceUID) ? MainDicomTags.StudyInstanceUID : null;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'pacs-not-found') return null;
    throw thrown;
  }
}

async function get<T>({ http, orthancUrl }: OrthancChanges, path: string, schema: z.ZodType<T>): Promise<T> {
  const answer = await http.request({ method: 'GET', url: `${orthancUrl.replace(/\/+$/, '')}${path}` });
  const parsed = schema.safeParse(await answer.json());
  if (parsed.success) return parsed.data;
  throw new Failure('pacs-not-dicomweb', {
    where: 'changes of the Orthanc',
    expected: 'its REST API',
    got: 'other JSON',
  });
}
