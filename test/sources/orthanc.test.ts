import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Memory, Source } from '../../src/core/ports.ts';
import type { StudyEvent } from '../../src/core/study.ts';
import { createStudySearch } from '../../src/dicom/qido.ts';
import { type Orthanc, startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { createSources, type SourceTools } from '../../src/sources/index.ts';
import { sourcesOptionsSchema } from '../../src/sources/options.ts';
import { makeFile, studyUid } from '../dicom/objects.ts';
import { makeHttp, type Peer, startPeer } from '../net/peer.ts';
import { makeMemory, until } from './support.ts';

/** All three ways in which a study that reaches a real Orthanc is found. */

const why = whyNoOrthanc();
if (why && !process.env['CI']) console.warn(`Sources on a real Orthanc are not tested: ${why}`);
const maybe = why === null || process.env['CI'] ? describe : describe.skip;

const docker = new URL('../../docker/orthanc/', import.meta.url);
const shipped = JSON.parse(readFileSync(new URL('orthanc.json', docker), 'utf8'));
const user = { name: 'gateway', password: 'word' };
const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');

maybe('a study that reaches an Orthanc', () => {
  let gateway: Peer;
  let orthanc: Orthanc;
  beforeAll(async () => {
    gateway = await startPeer((response) => response.writeHead(202).end('{}'));
    orthanc = await startOrthanc({
      user,
      environment: { CXR_GATEWAY_TOKEN: 'token of the test' },
      settings: {
        LuaScripts: [fileURLToPath(new URL('announce.lua', docker))],
        CxrGateway: { ...shipped.CxrGateway, Url: `${gateway.url}/` },
      },
    });
  });
  afterAll(async () => {
    await orthanc?.stop();
    await gateway?.close();
  });

  test('is announced once by the poll, by the changes and by the script, each with nothing but its UID', async () => {
    const memories = new Map<string, Memory>();
    const http = makeHttp(orthanc.url, {
      credentials: { kind: 'basic', username: user.name, password: user.password },
    });
    const failures: unknown[] = [];
    const tools: SourceTools = {
      searchStudies: createStudySearch({ http, qidoUrl: orthanc.dicomwebUrl }),
      orthancHttp: () => http,
      memory: (name) => memories.get(name) ?? memories.set(name, makeMemory()).get(name)!,
      report: (_source, failure) => void failures.push(failure),
      leads: async () => true,
      timezoneOffset: null,
      now: Date.now,
    };
    const options = sourcesOptionsSchema.parse({
      qidoPoll: { everySeconds: 1 },
      orthancChanges: { orthancUrl: orthanc.url, everySeconds: 1 },
    });
    const { sources, webhook } = createSources(options, tools);
    expect(sources.map(({ name }: Source) => name)).toEqual(['qido-poll', 'orthanc-changes', 'webhook']);
    expect(webhook).not.toBeNull();

    const events: StudyEvent[] = [];
    const controller = new AbortController();
    const running = sources.map((source) => source.run(async (event) => void events.push(event), controller.signal));
    const isReady = () =>
      memories.get('qido-poll') !== undefined &&
      (memories.get('orthanc-changes') as ReturnType<typeof makeMemory>)?.values.size > 0;
    await until(isReady);
    await until(() => (memories.get('qido-poll') as ReturnType<typeof makeMemory>).values.has('started'));
    expect(await orthanc.send(makeFile({ StudyDate: today }))).toBe(200);
    await until(() => events.length >= 2 && gateway.asked.length >= 1);
    controller.abort();
    await Promise.all(running);
    await http.close();

    expect(failures).toEqual([]);
    expect(events.toSorted((a, b) => (a.source < b.source ? -1 : 1))).toEqual([
      { studyInstanceUid: studyUid, source: 'orthanc-changes', priority: 'routine' },
      { studyInstanceUid: studyUid, source: 'qido-poll', priority: 'routine' },
    ]);
    const [call] = gateway.asked;
    expect([call?.method, call?.path, call?.authorization]).toEqual([
      'POST',
      '/api/v1/studies',
      'Bearer token of the test',
    ]);
    expect(JSON.parse(String(call?.body))).toEqual({ studyInstanceUid: studyUid });
  });

  test('that was installed anew is found although its numbers begin again (fault 36)', async () => {
    const memory = makeMemory();
    // A place far behind the end of the sequence that this Orthanc has.
    await memory.set('place', { seq: 100_000, id: '00000000-00000000-00000000-00000000-00000000' });
    const http = makeHttp(orthanc.url, {
      credentials: { kind: 'basic', username: user.name, password: user.password },
    });
    const options = sourcesOptionsSchema.parse({
      qidoPoll: { enabled: false },
      webhook: { enabled: false },
      orthancChanges: { orthancUrl: orthanc.url },
    });
    const { sources, webhook } = createSources(options, {
      searchStudies: async () => [],
      orthancHttp: () => http,
      memory: () => memory,
      report: () => {},
      leads: async () => true,
      timezoneOffset: null,
      now: Date.now,
    });
    expect(webhook).toBeNull();
    const events: StudyEvent[] = [];
    const controller = new AbortController();
    const running = sources[0]!.run(async (event) => void events.push(event), controller.signal);
    await until(() => events.length > 0);
    controller.abort();
    await running;
    await http.close();
    expect(events.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([studyUid]);
  });
});
