import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { resolveConfig } from '../src/config.ts';
import { wirePeers } from '../src/wire-peers.ts';
import { film, type Values } from './dicom/film-header.ts';
import { startMemoryServer } from './fhir/memory-server.ts';
import { accessions, mrn } from './fhir/support.ts';

/** Where the priority of a study comes from when nobody called it urgent, as `serve` has it wired. */

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function start(jobs = '{}') {
  const server = await startMemoryServer();
  server.found['Patient'] = [{ resourceType: 'Patient', id: '7', identifier: [{ system: mrn, value: 'PH-001' }] }];
  const identifier = [{ system: accessions, value: 'ACC-001' }];
  const order = { resourceType: 'ServiceRequest', id: '30', subject: { reference: 'Patient/7' }, priority: 'urgent' };
  server.found['ServiceRequest'] = [{ ...order, identifier }];
  const text = `pacs: { url: http://127.0.0.1:9/dicom-web }
fhir: { url: "${server.root}", patientIdentifierSystem: "${mrn}", accessionSystem: "${accessions}" }
jobs: ${jobs}
`;
  const file = { name: 'gateway.yaml', text };
  const config = resolveConfig({ file, environment: {}, flags: [], readFile: () => '' });
  const folder = mkdtempSync(join(tmpdir(), 'cxr-orders-'));
  const peers = wirePeers(config, join(folder, 'spool'), { onUnresolvedPatient: () => {}, onNotice: () => {} });
  ends.push(
    () => rmSync(folder, { recursive: true }),
    ...peers.clients.map((client) => () => client.close()),
    () => server.close(),
  );
  return { orders: peers.orders, server };
}

const named = (values: Values = {}) => film({ PatientID: 'PH-001', AccessionNumber: 'ACC-001', ...values });

test('fault 17: STAT in the header of any film is urgent and asks nobody, because the answer is here', async () => {
  const { orders, server } = await start();
  expect(await orders.priority([named(), named({ RequestedProcedurePriority: 'STAT' })])).toBe('stat');
  expect(server.requests).toEqual([]);
});

test('fault 17: a study whose header says nothing is as urgent as its order, because few modalities copy it', async () => {
  const { orders } = await start();
  expect(await orders.priority([named()])).toBe('stat');
  expect(await orders.priority([named({ AccessionNumber: 'ACC-002' })])).toBe('routine');
});

test('a site that does not want its EHR asked has it left alone', async () => {
  const { orders, server } = await start('{ orderPriority: false }');
  expect(await orders.priority([named()])).toBe('routine');
  expect(server.requests).toEqual([]);
});

test('a header that cannot be described is routine, because its own step says what is wrong with it', async () => {
  const { orders } = await start();
  expect(await orders.priority([{}])).toBe('routine');
});
