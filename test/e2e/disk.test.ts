import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { makeReadOnly, makeSmallDisk, testOnSmallDisk } from '../support/small-disk.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** The gateway as a process on a disk of its own that fills up, and one that it may no longer write to. */

const onSmallDisk = testOnSmallDisk();
const MiB = 1024 * 1024;

describe('a gateway whose disk', () => {
  let archive: RunningArchive;
  let fhir: RunningFhirStore;
  const folders: GatewayFolder[] = [];

  beforeAll(async () => {
    archive = await startArchive();
    fhir = await startFhirStore();
  });

  afterAll(async () => {
    await Promise.all([archive.close(), fhir.close()]);
    for (const folder of folders) folder.remove();
  });

  function makeFolder(stateFolder: string, sources: object): GatewayFolder {
    const peers = { pacs: { url: archive.url }, fhir: { url: fhir.url } };
    const jobs = { stateFolder, minFreeMiB: 6 };
    const folder = makeGatewayFolder({ ...peers, sources, settle: { quietSeconds: 0 }, jobs });
    folders.push(folder);
    return folder;
  }

  const announce = (gateway: RunningGateway, number: number): Promise<Response> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ studyInstanceUid: testStudyUid(number) });
    return gateway.api('/api/v1/studies', { method: 'POST', headers, body });
  };

  const isDone = (gateway: RunningGateway, number: number) =>
    poll(`study ${number} is done`, 120_000, async () => {
      const row = (await (await gateway.api(`/api/v1/studies/${testStudyUid(number)}`)).json()) as { state?: string };
      return row.state === 'done' ? true : null;
    });

  const readiness = async (gateway: RunningGateway) => {
    const response = await gateway.api('/readyz');
    const { checks } = (await response.json()) as { checks: { name: string; code: string | null }[] };
    return [response.status, checks.find(({ name }) => name === 'disk')?.code ?? null];
  };

  const onceEach = (numbers: readonly number[]) =>
    numbers.map(
      (number) =>
        archive.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))!.instances.length,
    );

  onSmallDisk(
    'fills up takes nothing in, says so at /readyz, and goes on by itself when there is room (fault 68, T32)',
    async () => {
      const disk = makeSmallDisk('48m');
      const StudyDate = new Date().toISOString().slice(0, 10).replaceAll('-', '');
      const gateway = await startGateway(makeFolder(join(disk.path, 'state'), { qidoPoll: { everySeconds: 1 } }));
      try {
        await poll('the first poll', 60_000, async () => ((await readiness(gateway))[0] === 200 ? true : null));
        await storeFilm(archive.url, makeSmallFilm(900, { StudyDate }));
        await isDone(gateway, 900);

        // Less than the mark, but more than nothing: what is refused now could be written.
        disk.leave(2 * MiB);
        await poll('the disk is found full', 60_000, async () => ((await readiness(gateway))[0] === 503 ? true : null));
        expect(await readiness(gateway)).toEqual([503, 'disk-full']);
        const refused = await announce(gateway, 901);
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
        expect(await refused.json()).toMatchObject({ code: 'disk-full' });
        expect(gateway.log()).toContain('"event":"alert","code":"disk-full"');
        // The sources hear of it within seconds.
        await new Promise((resolve) => setTimeout(resolve, 10_000));
        await storeFilm(archive.url, makeSmallFilm(902, { StudyDate }));
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        expect(onceEach([902])).toEqual([1]);
        // Nobody has asked the archive for it.
        expect((await gateway.api(`/api/v1/studies/${testStudyUid(902)}`)).status).toBe(404);

        disk.leave(30 * MiB);
        await isDone(gateway, 902);
        expect(await readiness(gateway)).toEqual([200, null]);
        expect(onceEach([900, 902])).toEqual([3, 3]);
        expect(gateway.log()).toContain('"event":"disk-has-room"');
      } finally {
        expect((await gateway.stop()).code).toBe(0);
        disk.unmount();
      }
    },
    300_000,
  );

  onSmallDisk(
    'is full in the middle of a study finishes it when there is room, without a crash in between (fault 68)',
    async () => {
      const disk = makeSmallDisk('48m');
      const folder = makeFolder(join(disk.path, 'state'), { qidoPoll: { enabled: false } });
      folder.configure({
        ...{ pacs: { url: archive.url }, fhir: { url: fhir.url }, sources: { qidoPoll: { enabled: false } } },
        ...{ settle: { quietSeconds: 0 }, jobs: { stateFolder: join(disk.path, 'state'), minFreeMiB: 0 } },
      });
      const gateway = await startGateway(folder);
      try {
        const numbers = Array.from({ length: 6 }, (_, index) => 910 + index);
        for (const [index, number] of numbers.entries()) {
          await storeFilm(archive.url, makeSmallFilm(number));
          expect((await announce(gateway, number)).status).toBe(202);
          disk.leave(index * 32 * 1024);
          await new Promise((resolve) => setTimeout(resolve, 3_000));
          disk.leave(30 * MiB);
          await isDone(gateway, number);
        }
        expect(onceEach(numbers)).toEqual(numbers.map(() => 3));
        expect(gateway.log()).toMatch(/"code":"disk-full"/);
      } finally {
        expect((await gateway.stop()).code).toBe(0);
        disk.unmount();
      }
    },
    300_000,
  );

  onSmallDisk(
    'can no longer be written to ends with 74, and the next start does the study once (fault 69)',
    async () => {
      const folder = makeFolder('', { qidoPoll: { enabled: false } });
      const state = join(folder.path, 'state');
      folder.configure({
        ...{ pacs: { url: archive.url }, fhir: { url: fhir.url }, sources: { qidoPoll: { enabled: false } } },
        ...{ settle: { quietSeconds: 0 }, jobs: { stateFolder: state, minFreeMiB: 0 } },
      });
      const doomed = await startGateway(folder);
      mkdirSync(join(state, 'artifacts'), { recursive: true });
      const mend = makeReadOnly(join(state, 'artifacts'));
      try {
        await storeFilm(archive.url, makeSmallFilm(920));
        await announce(doomed, 920).catch(() => {});
        await poll('the gateway ended', 60_000, async () => (await doomed.exited()) ?? null);
        expect((await doomed.stop()).code).toBe(74);
        expect(doomed.log()).toContain('EROFS');
        expect(onceEach([920])).toEqual([1]);
      } finally {
        mend();
        await doomed.stop('SIGKILL');
      }
      const restarted = await startGateway(folder);
      await isDone(restarted, 920).finally(() => restarted.stop());
      expect(onceEach([920])).toEqual([3]);
    },
    300_000,
  );
});
