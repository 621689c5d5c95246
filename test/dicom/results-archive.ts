import type { ServerResponse } from 'node:http';
import { afterEach } from '@jest/globals';
import type { Dataset } from '../../src/core/study.ts';
import { createPacsDestination } from '../../src/dicom/pacs.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { type Answer, type Asked, makeHttp, startPeer } from '../net/peer.ts';

/** An archive for results that can be told how to take them. The clock of its destination runs only as it waits. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Store = Map<string, Dataset>;

interface Plan {
  /** What happens to what was posted, and the answer; by default all is stored and listed. */
  readonly store?: (response: ServerResponse, objects: readonly Dataset[], store: Store) => unknown;
  /** What is shown of an object at the n-th look. */
  readonly show?: (object: Dataset, look: number) => Dataset | null;
}

const uid = (object: Dataset): string => String(object['00080018']?.Value?.[0]);
export const change = (object: Dataset, tag: string, value: string): Dataset => ({
  ...object,
  [tag]: { vr: object[tag]?.vr ?? 'UI', Value: [value] },
});

export const item = (object: Dataset, more: Record<string, unknown> = {}) => ({
  '00081150': object['00080016'],
  '00081155': object['00080018'],
  ...more,
});
export const warning = (reason: number) => ({ '00081196': { vr: 'US', Value: [reason] } });
export const reason = (value: number) => ({ '00081197': { vr: 'US', Value: [value] } });

/** As Orthanc writes it: the list of failures stands there without items. */
export const verdict = (stored: readonly unknown[], failed: readonly unknown[] = []) => ({
  '00081198': failed.length > 0 ? { vr: 'SQ', Value: failed } : { vr: 'SQ' },
  '00081199': stored.length > 0 ? { vr: 'SQ', Value: stored } : { vr: 'SQ' },
});

export const json = (response: ServerResponse, value: unknown, status = 200): unknown =>
  response.writeHead(status, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(value));

export function keep(objects: readonly Dataset[], store: Store): void {
  for (const object of objects) if (!store.has(uid(object))) store.set(uid(object), object);
}

const keepAll: NonNullable<Plan['store']> = (response, objects, store) => {
  keep(objects, store);
  json(response, verdict(objects.map((object) => item(object))));
};

function archive({ store: take = keepAll, show = (object) => object }: Plan): Answer {
  const store: Store = new Map();
  const looks = new Map<string, number>();
  const shown = (name: string): Dataset | null => {
    looks.set(name, (looks.get(name) ?? 0) + 1);
    const object = store.get(name);
    return object ? show(object, looks.get(name)!) : null;
  };
  return (response, asked) => {
    if (asked.method === 'POST') return void take(response, partsOf(asked), store);
    const url = new URL(asked.path, 'http://archive');
    const [, study, , , instance] =
      /studies\/([^/]+)(\/series\/([^/]+)\/instances\/([^/]+)\/metadata)/.exec(url.pathname) ?? [];
    const searched = url.searchParams.get('SOPInstanceUID');
    const found = shown(instance ?? searched ?? '');
    const here = found !== null && (!instance || found['0020000D']?.Value?.[0] === study);
    if (here) json(response, [found]);
    else if (instance) response.writeHead(404).end();
    else json(response, []);
  };
}

/** The parts by their Content-Length, which we always write. */
function partsOf({ body }: Asked): readonly Dataset[] {
  const objects: Dataset[] = [];
  for (let at = body.indexOf('--'); ; ) {
    const end = body.indexOf('\r\n\r\n', at);
    const length = Number(/Content-Length: (\d+)/.exec(body.subarray(at, end).toString('latin1'))?.[1]);
    if (end < 0 || Number.isNaN(length)) return objects;
    objects.push(parsePart10(body.subarray(end + 4, end + 4 + length)).header);
    at = end + 4 + length + 2;
  }
}

/** @param setBackMs by how much the clock is set back in each wait */
export async function startArchive(plan: Plan = {}, setBackMs = 0) {
  const peer = await startPeer(archive(plan));
  const root = `${peer.url}/dicom-web`;
  const http = makeHttp(root, { timeoutMs: 2000 });
  closing.push(
    () => peer.close(),
    () => http.close(),
  );
  const waits: number[] = [];
  let time = Date.UTC(2026, 2, 14, 12);
  let waited = 0;
  const clock = {
    now: () => time,
    elapsed: () => waited,
    wait: async (ms: number) => {
      waits.push(ms);
      waited += ms;
      time += ms - setBackMs;
    },
  };
  const destination = createPacsDestination({
    http,
    qidoUrl: root,
    wadoUrl: root,
    stowUrl: root,
    timeoutMs: 2000,
    clock,
  });
  return { peer, destination, waits };
}
