import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { text } from '../../src/dicom/dataset.ts';
import type { ObjectStore, StoredObject } from '../../src/sandbox/archive-store.ts';

/** The part of Orthanc's REST API that tells of changes: `/changes?since&limit`, `/changes?last`, `/studies/{id}`. */

export interface ChangeFeed {
  /** A study became stable. */
  note(object: StoredObject): void;
  /** All changes are forgotten and the numbers begin again, as after an installation anew. */
  reset(): void;
  readonly handler: RequestHandler;
}

interface Change {
  readonly ChangeType: 'StableStudy';
  readonly ID: string;
  readonly ResourceType: 'Study';
  readonly Seq: number;
}

/** As Orthanc makes it: SHA-1 of patient and study, in five groups. */
function idOf({ header, StudyInstanceUID }: StoredObject): string {
  const hex = createHash('sha1')
    .update(`${text(header, 'PatientID') ?? ''}|${StudyInstanceUID}`)
    .digest('hex');
  return hex.match(/.{8}/g)!.join('-');
}

export function createChangeFeed(store: ObjectStore): ChangeFeed {
  let changes: Change[] = [];
  const studies = new Map<string, string>();
  return {
    note(object) {
      const ID = idOf(object);
      studies.set(ID, object.StudyInstanceUID);
      changes.push({ ChangeType: 'StableStudy', ID, ResourceType: 'Study', Seq: changes.length + 1 });
    },
    reset() {
      changes = [];
    },
    handler: (request, response, next) => {
      if (request.path === '/changes') {
        const { since, limit, last } = request.query;
        const from = last === undefined ? Number(since ?? 0) : changes.length - 1;
        const page = changes.filter(({ Seq }) => Seq > from).slice(0, Number(limit ?? 100));
        const Last = page.at(-1)?.Seq ?? (last === undefined ? from : changes.length);
        return response.json({ Changes: page, Done: Last >= changes.length, Last });
      }
      const id = /^\/studies\/([0-9a-f-]+)$/.exec(request.path)?.[1];
      if (id === undefined) return next();
      const uid = studies.get(id);
      if (uid === undefined || store.ofStudy(uid).length === 0) return response.status(404).json({});
      return response.json({ ID: id, MainDicomTags: { StudyInstanceUID: uid } });
    },
  };
}
