import { expect, test } from '@jest/globals';
import { openSimulated } from './simulated.ts';
import { bundleArtifact } from './support.ts';

const deviceOf = () => {
  const { entry } = JSON.parse(bundleArtifact().bytes.toString());
  const { id: _, ...device } = entry[0].resource;
  return device;
};

test('of two Devices that others made at once the older is kept, the other struck out, because an update must find one (fault 51)', async () => {
  const device = deviceOf();
  const world = await openSimulated({ clientIds: false, seed: [device, device] });
  await world.fhir.deliver([bundleArtifact()]);
  const found = world.store
    .resources('Device')
    .filter(({ identifier }) => JSON.stringify(identifier) === JSON.stringify(device.identifier));
  expect(found.map(({ id }) => id)).toEqual(['1']);
  expect(world.store.resources('Device').find(({ id }) => id === '2')?.['status']).toBe('entered-in-error');
  expect(world.notices).toEqual([{ kind: 'duplicates', detail: '1 struck out, the oldest kept' }]);
  expect(world.store.resources('DiagnosticReport')).toHaveLength(1);
  expect(world.store.resources('Patient')).toEqual([]);
});
