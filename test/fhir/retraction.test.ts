import { describe, expect, test } from '@jest/globals';
import { asFailure } from '../../src/core/failure.ts';
import { makeReading } from '../support/readings.ts';
import { openSimulated, type SimulatedWorld, versionsIn, withoutTransactions } from './simulated.ts';
import { bundleArtifact } from './support.ts';

const retraction = { reason: 'The film was of another person.', at: '2026-03-14T12:00:00Z' };
const retract = async ({ fhir }: SimulatedWorld) => (await fhir.retract!([bundleArtifact()], retraction))[0]!.note;
const later = bundleArtifact(makeReading({ revision: 2 }));
const results = ({ store }: SimulatedWorld) => [
  ...store.resources('DiagnosticReport'),
  ...store.resources('Observation'),
];

describe.each([
  ['ids of ours', { clientIds: true }],
  ['ids of the server', { clientIds: false }],
  ['ids of ours, one by one', { clientIds: true, script: withoutTransactions }],
  ['ids of the server, one by one', { clientIds: false, script: withoutTransactions }],
])('a report that is taken back (fault 48), with %s', (_, options) => {
  test('is entered in error with the reason, and its results with it, because a reader of one must learn it', async () => {
    const world = await openSimulated(options);
    await world.fhir.deliver([bundleArtifact()]);
    expect(await retract(world)).toMatch(/^entered-in-error: DiagnosticReport\/.*; Observation\//);
    expect(new Set(results(world).map(({ status }) => status))).toEqual(new Set(['entered-in-error']));
    for (const resource of results(world)) expect(JSON.stringify(resource)).toContain(retraction.reason);
    const told = world.store.resources('Provenance').map(({ activity }) => activity !== undefined);
    expect(told.sort()).toEqual([false, true]);
  });

  test('is not changed by a second retraction, nor by the delivery that comes late', async () => {
    const world = await openSimulated(options);
    await world.fhir.deliver([bundleArtifact()]);
    await retract(world);
    const versions = versionsIn(world.store);
    world.writes();
    expect(await retract(world)).toBe('already retracted');
    const [late] = await world.fhir.deliver([bundleArtifact()]);
    expect(late!.note).toContain('is entered-in-error and was left alone');
    expect(world.writes()).toEqual([]);
    expect(versionsIn(world.store)).toEqual(versions);
  });

  test.each(['DiagnosticReport', 'Observation'])('is refused when a person has taken over the %s', async (type) => {
    const world = await openSimulated(options);
    await world.fhir.deliver([bundleArtifact()]);
    await world.store.put({ ...world.store.resources(type)[0]!, status: 'final' });
    world.writes();
    const failure = asFailure(await retract(world).catch((thrown: unknown) => thrown));
    expect(failure).toMatchObject({ code: 'fhir-refused', detail: { got: 'final' } });
    expect(world.writes()).toEqual([]);
  });

  test('is free for a later revision, because a person asked for that one after it', async () => {
    const world = await openSimulated(options);
    await world.fhir.deliver([bundleArtifact()]);
    await retract(world);
    await world.fhir.deliver([later]);
    expect(results(world).map(({ status }) => status)).toEqual(['preliminary', 'preliminary']);
    expect(JSON.stringify(results(world))).not.toContain(retraction.reason);
    const [late] = await world.fhir.deliver([later]);
    expect(late!.note).toContain('already there');
  });

  test('stays as it is when somebody else has struck it, because their reason is not ours to judge', async () => {
    const world = await openSimulated(options);
    await world.fhir.deliver([bundleArtifact()]);
    await world.store.put({ ...world.store.resources('DiagnosticReport')[0]!, status: 'entered-in-error' });
    world.writes();
    const failure = asFailure(await world.fhir.deliver([later]).catch((thrown: unknown) => thrown));
    expect(failure).toMatchObject({ code: 'fhir-refused', detail: { got: 'entered-in-error' } });
    expect(world.writes()).toEqual([]);
  });

  test('of which nothing stands is nothing to do', async () => {
    const world = await openSimulated(options);
    expect(await retract(world)).toContain('nothing to retract');
    expect(world.store.history()).toEqual([]);
  });
});
