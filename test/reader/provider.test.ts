/** @jest-environment ./test/model/onnx-environment.js */

import { asFailure } from '../../src/core/failure.ts';
import type { FilmReading } from '../../src/core/ports.ts';
import type { NetworkEvent } from '../../src/core/provider.ts';
import { createReader, type Reader, type ReaderOptions } from '../../src/reader/index.ts';
import { narrowFolder } from '../model/models.ts';
import { temporaryFolder } from '../model/python.ts';
import { noVulkan, softwareVulkan, whyNoVulkan } from '../services/vulkan.ts';
import { settings } from '../support/readings.ts';
import { writeFilm } from './film-file.ts';

/** The real reader on providers that are there, and on some that are not. No graphics card is needed. */

const why = whyNoVulkan();
if (why !== null && !process.env['CI']) console.warn(`skipped: the reader on a Vulkan driver, because ${why}`);
const testOnVulkan = why === null || process.env['CI'] ? test : test.skip;

const folder = temporaryFolder();
const films = [1, 2, 3, 4].map((seed) => writeFilm(folder, seed));

async function withReader<T>(
  options: Partial<ReaderOptions>,
  work: (reader: Reader, events: readonly NetworkEvent[]) => Promise<T>,
): Promise<T> {
  const events: NetworkEvent[] = [];
  const report = (event: NetworkEvent) => events.push(event);
  const reader = createReader({ modelFolder: narrowFolder, spares: 0, openSeconds: 300, report, ...options });
  try {
    return await work(reader, events);
  } finally {
    await reader.close();
  }
}

const read = (reader: Reader, path: string): Promise<FilmReading> =>
  reader.read({ path, expectedSOPInstanceUID: null, settings });
const readAll = (reader: Reader): Promise<readonly FilmReading[]> =>
  Promise.all(films.map((path) => read(reader, path)));
const onCpu = () => withReader({}, readAll);
const scoresOf = (readings: readonly FilmReading[]) => readings.map(({ score }) => score);

function furthest(some: readonly FilmReading[], others: readonly FilmReading[]): number {
  const wanted = scoresOf(others);
  return Math.max(...scoresOf(some).map((score, index) => Math.abs(score - wanted[index]!)));
}

describe('the webgpu provider, on a Vulkan driver in software', () => {
  testOnVulkan(
    'reads four films of four children in one run, and says what the CPU says within 1e-4',
    async () => {
      const options: Partial<ReaderOptions> = {
        ...{ provider: 'webgpu', providerFallback: 'refuse', batch: { max: 4, waitMs: 20_000 }, atOnce: 4 },
        ...{ timeoutSeconds: 600, driverEnvironment: softwareVulkan },
      };
      const { readings, events } = await withReader(options, async (reader, events) => {
        await reader.ready();
        return { readings: await readAll(reader), events };
      });
      expect(events).toEqual([
        { kind: 'provider', asked: 'webgpu', used: 'webgpu', reason: null },
        { kind: 'run', provider: 'webgpu', films: 4 },
      ]);
      for (const { provider } of readings) expect(provider).toEqual({ asked: 'webgpu', used: 'webgpu' });
      const single = await onCpu();
      expect(furthest(readings, single)).toBeLessThanOrEqual(1e-4);
      expect(new Set(scoresOf(readings)).size).toBe(4);
      readings.forEach(({ region, pixelDigest }, index) => {
        expect(pixelDigest).toBe(single[index]!.pixelDigest);
        expect(region.length).toBeGreaterThan(3);
      });
    },
    900_000,
  );
});

describe('a provider that is not there (fault 83)', () => {
  test.each(['webgpu', 'cuda', 'tensorrt'] as const)(
    '(%s) gives way to the CPU: the films are read as ever, and each says so',
    async (provider) => {
      const options = { provider, batch: { max: 4, waitMs: 20 }, atOnce: 4, driverEnvironment: noVulkan };
      await withReader(options, async (reader, events) => {
        const readings = await readAll(reader);
        expect(furthest(readings, await onCpu())).toBeLessThan(1e-6);
        for (const reading of readings) expect(reading.provider).toEqual({ asked: provider, used: 'cpu' });
        const [first, ...runs] = events;
        expect(first).toMatchObject({ asked: provider, used: 'cpu', reason: expect.stringContaining(provider) });
        expect(runs).toEqual(Array(4).fill({ kind: 'run', provider: 'cpu', films: 1 }));
      });
    },
    180_000,
  );

  test.each(['webgpu', 'cuda', 'tensorrt'] as const)(
    '(%s) is refused at the start and for every film where the site wants no fall-back',
    async (provider) => {
      const options = { provider, providerFallback: 'refuse', driverEnvironment: noVulkan } as const;
      await withReader(options, async (reader, events) => {
        const failure = await reader.ready().then(() => null, asFailure);
        expect(failure?.code).toBe('provider-unavailable');
        await expect(read(reader, films[0]!)).rejects.toThrow('provider-unavailable');
        expect(events).toContainEqual(expect.objectContaining({ kind: 'provider', asked: provider, used: null }));
      });
    },
    180_000,
  );

  test('is passed over by auto, which then is no fall-back', async () => {
    await withReader({ provider: 'auto', driverEnvironment: noVulkan }, async (reader, events) => {
      await reader.ready();
      expect(events).toEqual([{ kind: 'provider', asked: 'auto', used: 'cpu', reason: expect.any(String) }]);
      expect((await read(reader, films[0]!)).provider).toEqual({ asked: 'auto', used: 'cpu' });
    });
  });
});
