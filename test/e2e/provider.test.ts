import { describe, expect, test } from '@jest/globals';
import { startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { type Orthanc, startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { noVulkan } from '../services/vulkan.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { itemsOf } from './facts.ts';
import { storedStudy } from './hospital.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** A gateway that is told to use a graphics card on a machine without one. */

const why = whyNoOrthanc();
if (why && process.env['CI']) throw new Error(`Orthanc is needed in CI: ${why}`);
if (why) console.warn(`Skipped, the end-to-end test of providers: ${why}.`);
const suite = why ? describe.skip : describe;

interface Site {
  readonly orthanc: Orthanc;
  readonly fhirUrl: string;
  readonly folder: GatewayFolder;
}

async function withSite(settings: object, work: (site: Site) => Promise<void>): Promise<void> {
  const orthanc = await startOrthanc();
  const fhir = await startFhirStore();
  const folder = makeGatewayFolder({});
  const orthancChanges = { orthancUrl: orthanc.url, everySeconds: 1, startFrom: 'everything' };
  const sources = { orthancChanges, qidoPoll: { enabled: false } };
  folder.configure({ pacs: { url: orthanc.dicomwebUrl }, fhir: { url: fhir.url }, sources, ...settings });
  try {
    await work({ orthanc, fhirUrl: fhir.url, folder });
  } finally {
    await fhir.close();
    await orthanc.stop();
    folder.remove();
  }
}

async function isDone(gateway: RunningGateway, studyInstanceUid: string): Promise<void> {
  await poll('the study is done', 60_000, async () => {
    const response = await gateway.api(`/api/v1/studies/${studyInstanceUid}`);
    return response.ok && ((await response.json()) as { state: string }).state === 'done' ? true : null;
  });
}

const algorithmParameters = '111002';

suite('a card that is not there', () => {
  test('does not hold up a study, and the fall-back stands in log, readiness, metrics, SR and FHIR', async () => {
    await withSite({ provider: 'webgpu' }, async ({ orthanc, fhirUrl, folder }) => {
      const gateway = await startGateway(folder, [], noVulkan);
      try {
        expect(gateway.log()).toMatch(/"event":"provider","asked":"webgpu","used":"cpu","reason":"[^"]*webgpu/);
        const ready = await fetch(`${gateway.url}/readyz`);
        expect(ready.status).toBe(200);
        expect(await ready.json()).toMatchObject({
          checks: expect.arrayContaining([{ name: 'provider', status: 'ok', code: 'provider-fallback' }]),
        });
        expect(await orthanc.send(makeSmallFilm(80))).toBe(200);
        await isDone(gateway, testStudyUid(80));
        const metrics = await (await gateway.api('/metrics')).text();
        expect(metrics).toContain('cxr_gateway_provider_info{asked="webgpu",used="cpu"} 1\n');
        expect(metrics).toContain('cxr_gateway_provider_fallbacks_total 1\n');
        expect(metrics).toContain('cxr_gateway_network_run_films_count{provider="cpu"} 1\n');
        const { sr } = await storedStudy(orthanc, testStudyUid(80));
        const parameters = itemsOf(sr[0]!.dataset, algorithmParameters).map(({ TextValue }) => TextValue);
        expect(parameters).toEqual(expect.arrayContaining(['provider=cpu', 'provider_asked=webgpu']));
        const observations = await (await fetch(`${fhirUrl}/Observation`)).text();
        expect(observations).toContain('The network ran on cpu; webgpu was asked for and could not be used.');
      } finally {
        await gateway.stop();
      }
    });
  }, 180_000);

  test('ends the start with 69 and the reason where the site wants no fall-back', async () => {
    await withSite({ provider: 'cuda', providerFallback: 'refuse' }, async ({ folder }) => {
      await expect(startGateway(folder)).rejects.toThrow(/ended with 69: .*provider-unavailable.*cuda/s);
    });
  }, 120_000);
});
