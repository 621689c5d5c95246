import { Failure } from '../core/failure.ts';
import type { ListedStudy, SearchStudies, StudySearch } from '../core/search.ts';

/** All pages of a search for studies, at archives that page as the standard says and at those that do not (fault 19). */

/** Days (`YYYYMMDD`, in order) and hour (0–23) that are asked for. */
export interface Range {
  readonly modality: string;
  readonly days: readonly string[];
  readonly hour: number | null;
}

/** No archive is known that cuts its pages, without a word, shorter than this: a page below it is the last. */
const smallestSilentCap = 50;
/** No archive holds so many studies in the days of a poll: it makes up pages. */
const mostPages = 5000;

export interface Paging {
  readonly search: SearchStudies;
  /** Rows that one page is asked for. */
  readonly limit: number;
  /** Told `pacs-refused` when the archive hides studies from every way of paging; what it does show is given all the same. */
  readonly report: (failure: Failure) => void;
}

/** Pages of rows not given before. Raises what the search raises. */
export async function* allPages(paging: Paging, range: Range): AsyncGenerator<readonly ListedStudy[]> {
  const { search, limit } = paging;
  const given = new Set<string>();
  for (let offset = 0, pages = 0; pages < mostPages; pages++) {
    const page = await search({ ...keysOf(range), limit, offset });
    const fresh = notIn(given, page);
    yield fresh;
    if (isLast(page, limit)) return;
    if (fresh.length === 0) return yield* narrowed(paging, range, page.length);
    offset += page.length;
  }
}

const isLast = (page: readonly ListedStudy[], limit: number): boolean =>
  page.length < Math.min(limit, smallestSilentCap);

function notIn(given: Set<string>, page: readonly ListedStudy[]): readonly ListedStudy[] {
  return page.filter(({ studyInstanceUid }) => {
    if (studyInstanceUid === null || given.has(studyInstanceUid)) return false;
    given.add(studyInstanceUid);
    return true;
  });
}

/**
 * The archive ignores `offset`: the same page came again. More than `limit` rows were all it has; else its page may be
 * cut at `cap` rows, and shorter spans of time are asked for until they hold fewer.
 */
async function* narrowed(paging: Paging, range: Range, cap: number): AsyncGenerator<readonly ListedStudy[]> {
  const { search, limit, report } = paging;
  if (cap > limit) return;
  const spans = spansOf(range);
  if (spans.length === 0) {
    const detail = { where: 'GET studies?…', expected: 'pages by limit and offset', got: 'the same page again' };
    report(new Failure('pacs-refused', detail));
  }
  for (const span of spans) {
    const page = await search({ ...keysOf(span), limit, offset: 0 });
    yield page;
    if (page.length >= cap) yield* narrowed(paging, span, cap);
  }
}

function spansOf({ modality, days, hour }: Range): readonly Range[] {
  if (days.length > 1) return days.map((day) => ({ modality, days: [day], hour: null }));
  return hour === null ? Array.from({ length: 24 }, (_, each) => ({ modality, days, hour: each })) : [];
}

function keysOf({ modality, days, hour }: Range): Pick<StudySearch, 'modality' | 'studyDate' | 'studyTime'> {
  const [first = '', last = first] = [days[0], days.at(-1)];
  const hours = hour === null ? null : String(hour).padStart(2, '0');
  return {
    modality,
    studyDate: first === last ? first : `${first}-${last}`,
    studyTime: hours === null ? null : `${hours}0000-${hours}5959.999999`,
  };
}
