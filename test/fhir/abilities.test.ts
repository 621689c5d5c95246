import { describe, expect, test } from '@jest/globals';
import { logNotices } from '../../src/wire-peers.ts';
import { extensionsDropped, idsRewritten } from '../simulators/fhir-misbehaviours.ts';
import { passing } from '../simulators/misbehaviour.ts';
import { isTransaction } from '../simulators/requests.ts';
import { scripted } from '../simulators/script.ts';
import { makeReading } from '../support/readings.ts';
import { failureOf } from './memory-server.ts';
import { openSimulated, stating } from './simulated.ts';
import { bundleArtifact } from './support.ts';

describe('the version of FHIR that a server speaks (fault 58)', () => {
  test.each(['5.0.0', '3.0.2', '4.6.0', '1.0.2', 7])(
    '%s is refused before anything is written',
    async (fhirVersion) => {
      const { fhir, store, writes } = await openSimulated({ script: stating({ fhirVersion }) }, { ids: 'client' });
      const failure = await failureOf(fhir);
      expect([failure.code, failure.class]).toEqual(['fhir-version', 'permanent']);
      expect(writes()).toEqual([]);
      store.setScript(null);
      await fhir.deliver([bundleArtifact()]);
      expect(store.resources('DiagnosticReport')).toHaveLength(1);
    },
  );

  test.each(['4.0.1', '4.0', '4.3.0', undefined])('%s is written to', async (fhirVersion) => {
    const { fhir, store } = await openSimulated({ script: stating({ fhirVersion }) });
    await fhir.deliver([bundleArtifact()]);
    expect(store.resources('DiagnosticReport')).toHaveLength(1);
  });
});

describe('a server that changes what it stores (fault 56)', () => {
  test.each([
    ['altered', 'alert'],
    ['duplicates', 'alert'],
    ['labels', 'alert'],
    ['ids', 'fhir'],
    ['sequence', 'fhir'],
  ] as const)('%s is logged as %s, because only what a person must look at is an alert', (kind, event) => {
    const lines: object[] = [];
    logNotices(
      (line) => lines.push(line),
      () => 0,
    )({ kind, detail: 'DiagnosticReport.text' });
    const time = '1970-01-01T00:00:00.000Z';
    expect(lines).toEqual([{ time, event, code: `fhir-${kind}`, detail: 'DiagnosticReport.text' }]);
  });

  test('a lost element is named in the receipt and told, because nobody else would see it', async () => {
    const script = scripted({ misbehaviour: dropping('conclusionCode', 'presentedForm'), on: isTransaction });
    const { fhir, notices } = await openSimulated({ script });
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    const detail = 'DiagnosticReport.conclusionCode, DiagnosticReport.presentedForm';
    expect(notices).toEqual([{ kind: 'altered', detail }]);
    expect(receipt?.note).toContain(`altered by the server: ${detail}`);
  });

  test('lost extensions harm nothing, because none of ours bears the meaning', async () => {
    const { fhir } = await openSimulated({ script: scripted({ misbehaviour: extensionsDropped, on: isTransaction }) });
    await fhir.deliver([bundleArtifact()]);
  });

  test('ids of its own are told, and the next revision updates what they name', async () => {
    const { fhir, store, notices } = await openSimulated({ script: scripted({ misbehaviour: idsRewritten }) });
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt?.note).toContain('ids given by the server');
    expect(notices.map(({ kind }) => kind)).toEqual(['ids']);
    await fhir.deliver([bundleArtifact(makeReading({ revision: 2 }))]);
    expect(store.resources('DiagnosticReport').map(({ meta }) => meta.versionId)).toEqual(['2']);
  });
});

/** Elements of every DiagnosticReport are lost on the way in. */
const dropping = (...elements: readonly string[]) =>
  passing(
    'elements dropped',
    async ({ body, replaceBody, serve, send }) => {
      const bundle = JSON.parse((await body()).toString('utf8'), function (name, value) {
        return this.resourceType === 'DiagnosticReport' && elements.includes(name) ? undefined : value;
      });
      replaceBody(bundle);
      send(await serve());
    },
    isTransaction,
  );
