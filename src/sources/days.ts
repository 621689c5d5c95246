import { allPages, type Paging } from './pages.ts';
import { modalities } from './sweep.ts';

/** Studies of an archive by the day of their StudyDate: for filling gaps, one day after another. */

export type DaySearch = Paging;

/** The CR and DX studies of each day; a study that an archive lists under several days or modalities comes once. */
export async function* searchDays(
  paging: DaySearch,
  days: readonly string[],
): AsyncGenerator<{ readonly day: string; readonly studies: readonly string[] }> {
  const given = new Set<string>();
  for (const day of days) {
    const before = given.size;
    for (const modality of modalities) {
      for await (const rows of allPages(paging, { modality, days: [day.replaceAll('-', '')], hour: null })) {
        for (const { studyInstanceUid, modalities: told } of rows) {
          // An archive that ignores the key answers with all its studies.
          const wanted = told.length === 0 || modalities.some((one) => told.includes(one));
          if (studyInstanceUid !== null && wanted) given.add(studyInstanceUid);
        }
      }
    }
    yield { day, studies: [...given].slice(before) };
  }
}
