import { expect, test } from '@jest/globals';
import { text } from '../../src/dicom/dataset.ts';
import { randomOf } from '../../src/sandbox/random.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { startSimulatedArchive } from './archive.ts';
import { startSimulatedFhir } from './fhir.ts';
import { openGateway } from './gateway.ts';
import { chaosScript } from './script.ts';

/** A small run among servers of which neither can be relied on: what the long one does with thousands of studies. */

const studies = Array.from({ length: 12 }, (_, index) => index + 1);

test.each([1, 2])(
  'every study is reported exactly once where a third of all requests goes wrong on both sides, seed %i',
  async (seed) => {
    const random = randomOf(seed);
    const archive = await startSimulatedArchive({ script: chaosScript({ side: 'pacs', random, rate: 0.33 }) });
    const fhir = await startSimulatedFhir({ script: chaosScript({ side: 'fhir', random, rate: 0.33 }) });
    const gateway = await openGateway({ archive, fhir });
    try {
      for (const number of studies) {
        archive.addInstance(makeSmallFilm(number));
        await gateway.announce(testStudyUid(number));
      }
      await gateway.run();
      for (const number of studies) {
        const uid = testStudyUid(number);
        expect([number, await gateway.state(uid)]).toEqual([number, { state: 'done', code: null }]);
        const modalities = archive.store.ofStudy(uid).map(({ header }) => text(header, 'Modality'));
        expect(modalities.sort()).toEqual(['CR', 'OT', 'SR']);
      }
      const reports = fhir.history().filter(([first]) => first?.resourceType === 'DiagnosticReport');
      expect(reports.map((versions) => versions.length)).toEqual(studies.map(() => 1));
      const met = [...archive.requests, ...fhir.requests].filter(({ misbehaviour }) => misbehaviour !== null);
      expect(met.length).toBeGreaterThan(50);
      expect(new Set(met.map(({ misbehaviour }) => misbehaviour)).size).toBeGreaterThan(12);
    } finally {
      await gateway.close();
      await archive.close();
      await fhir.close();
    }
  },
  180_000,
);
