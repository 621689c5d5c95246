import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { type Orthanc, startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { storedStudy } from './hospital.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** A real Orthanc that overwrites what is sent again under an old UID, and tells of stable studies. */

const why = whyNoOrthanc();
if (why && !process.env['CI']) console.warn(`An archive that overwrites is not tested: ${why}`);
const maybe = why === null || process.env['CI'] ? describe : describe.skip;

/** The pixels of one film under the names of another. */
const under = (number: number, pixels: number, rest: Parameters<typeof makeSmallFilm>[1] = {}): Uint8Array => {
  const uid = testStudyUid(number);
  const names = { StudyInstanceUID: uid, SeriesInstanceUID: `${uid}.1`, SOPInstanceUID: `${uid}.1.1` };
  const whose = { PatientID: `TEST-${number}`, AccessionNumber: `TEST-A${number}`, StudyID: String(number) };
  return makeSmallFilm(pixels, { ...names, ...whose, ...rest });
};

maybe('fault 3: an Orthanc with OverwriteInstances', () => {
  let orthanc: Orthanc;
  let fhir: RunningFhirStore;
  let folder: GatewayFolder;
  let gateway: RunningGateway;

  beforeAll(async () => {
    orthanc = await startOrthanc({ settings: { OverwriteInstances: true } });
    fhir = await startFhirStore();
    const orthancChanges = { orthancUrl: orthanc.url, everySeconds: 1, startFrom: 'everything' };
    folder = makeGatewayFolder({
      pacs: { url: orthanc.dicomwebUrl },
      fhir: { url: fhir.url },
      sources: { qidoPoll: { enabled: false }, orthancChanges },
    });
    gateway = await startGateway(folder);
  }, 120_000);

  afterAll(async () => {
    await gateway?.stop();
    await orthanc?.stop();
    await fhir?.close();
    folder?.remove();
  }, 60_000);

  const announcements = () => gateway.log().match(/"state":"announced"/g)?.length ?? 0;
  /** Everything that was announced has ended, our own results included. */
  const quiet = async (number: number, reports: number) => {
    let [before, since] = [-1, Date.now()];
    await poll('no more announcements', 120_000, async () => {
      if (announcements() !== before) [before, since] = [announcements(), Date.now()];
      const study = await gateway.api(`/api/v1/studies/${testStudyUid(number)}`);
      const { state } = (await study.json()) as { readonly state?: string };
      const there = (await storedStudy(orthanc, testStudyUid(number))).sr.length >= reports;
      return there && state === 'done' && Date.now() - since > 4_000 ? true : null;
    });
    return storedStudy(orthanc, testStudyUid(number));
  };
  /** The log has one alert of a cause in a quarter of an hour, the counter all of them. */
  const alerts = async () => {
    const metrics = await (await gateway.api('/metrics')).text();
    return Number(/^cxr_gateway_alerts_total\{code="pixels-changed"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
  };

  test.each([
    [410, 'whose header was stamped anew', { InstanceCreationTime: '111111' }],
    [420, 'whose header is the same', {}],
  ])(
    'a film (%i) with other pixels, %s, makes a new SR and an alert; the same pixels make nothing',
    async (number, _what, header) => {
      const before = await alerts();
      expect(await orthanc.send(under(number, number))).toBe(200);
      expect((await quiet(number, 1)).sr).toHaveLength(1);
      await orthanc.send(under(number, number, header));
      expect((await quiet(number, 1)).sr).toHaveLength(1);
      expect(await alerts()).toBe(before);
      await orthanc.send(under(number, number + 1, header));
      const { sr, heatmaps } = await quiet(number, 2);
      expect([sr.length, heatmaps.length, await alerts()]).toEqual([2, 2, before + 1]);
      expect(gateway.log()).toMatch(/"event":"alert".*"pixels-changed"/);
      const reports = fhir
        .resources('DiagnosticReport')
        .filter((one) => JSON.stringify(one).includes(testStudyUid(number)));
      expect(reports).toHaveLength(1);

      // Orthanc stores the note and goes on giving out what it withdraws: the operator's page says so.
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ reason: 'a test of the note' });
      await gateway.api(`/api/v1/studies/${testStudyUid(number)}/retract`, { method: 'POST', headers, body });
      const withdrawn = await poll('the retraction', 60_000, async () => {
        const study = await storedStudy(orthanc, testStudyUid(number));
        return study.films.some(({ modality }) => modality === 'KO') ? study : null;
      });
      expect([withdrawn.sr.length, withdrawn.heatmaps.length]).toEqual([2, 2]);
    },
    300_000,
  );
});
