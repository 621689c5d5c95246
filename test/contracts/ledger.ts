import { describe, expect, test } from '@jest/globals';
import { sha256 } from '../../src/core/ids.ts';
import type { Artifact, InstanceOutcome, Receipt } from '../../src/core/ports.ts';
import type { Reading } from '../../src/core/reading.ts';
import type { Store } from '../../src/jobs/index.ts';
import { event } from '../jobs/event.ts';
import {
  makeImageHeader,
  makeImageReading,
  makeReading,
  makeStudyHeader,
  model,
  studyUid,
} from '../support/readings.ts';
import type { StoreBench } from './job-queue.ts';

export function makeArtifact(id: string, text: string, overrides: Partial<Artifact> = {}): Artifact {
  const bytes = Buffer.from(text);
  return {
    kind: 'sr',
    name: 'sr',
    fileName: 'sr.dcm',
    mediaType: 'application/dicom',
    id,
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
    bytes,
    sha256: sha256(bytes),
    ...overrides,
  };
}

export const makeReceipt = (artifact: string, destination = 'pacs'): Receipt => ({
  artifact,
  destination,
  storedAt: '2026-03-14T09:21:00.000Z',
  note: 'stored',
});

/** A heat-map, a bundle: the artifacts that are no SR. */
const heatmap = (id: string, text: string, name = 'heatmap-1') =>
  makeArtifact(id, text, { kind: 'heatmap', name, fileName: `${name}.dcm`, SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' });
function bundle(id: string, text: string): Artifact {
  const { SOPClassUID: _, ...plain } = makeArtifact(id, text);
  return { ...plain, kind: 'fhir-bundle', name: 'fhir-bundle', fileName: 'b.json', mediaType: 'application/fhir+json' };
}

const lateReading = (): Reading => {
  const late = makeImageReading({ image: makeImageHeader({ SOPInstanceUID: `${studyUid}.1.2` }), score: 0.1 });
  return makeReading({ images: [makeImageReading(), late], revision: 2 });
};

export async function claimStudy(store: Store, uid = studyUid) {
  await store.queue.announce(event(uid), 0);
  return (await store.queue.claim(0))!;
}

const texts = (artifacts: readonly Artifact[]) => artifacts.map(({ name, bytes }) => [name, String(bytes)]);

export function ledgerContract(name: string, bench: StoreBench): void {
  describe(`${name} keeps the contract of a ledger`, () => {
    describe('readings', () => readings(bench));
    describe('receipts', () => receipts(bench));
    describe('outcomes', () => outcomes(bench));
  });
}

function readings(bench: StoreBench): void {
  test('a recorded reading comes back whole after a restart, because a retry must not score again', async () => {
    const store = await bench.open();
    const reading = makeReading({ failures: [], score: 0.1 + 0.2 });
    const artifacts = [makeArtifact('2.25.1', 'the SR'), heatmap('2.25.2', 'a map'), bundle('cxr-1#1', '{}')];
    await store.ledger.record(await claimStudy(store), reading, artifacts);
    const { ledger } = await bench.reopen(store);
    const recorded = (await ledger.latest(studyUid, model.id))!;
    expect(recorded.reading).toEqual(reading);
    expect(recorded.receipts).toEqual([]);
    expect(recorded.artifacts.map((artifact) => ({ ...artifact, bytes: Buffer.from(artifact.bytes) }))).toEqual(
      artifacts,
    );
  });

  test('an unknown study or another model has no reading, because a model answers for itself', async () => {
    const store = await bench.open();
    await store.ledger.record(await claimStudy(store), makeReading(), [makeArtifact('2.25.1', 'x')]);
    expect(await store.ledger.latest(studyUid, 'another-model')).toBeNull();
    expect(await store.ledger.latest('1.9', model.id)).toBeNull();
  });

  test('the bytes recorded first win, because they may already be in the PACS', async () => {
    const store = await bench.open();
    const job = await claimStudy(store);
    const first = makeReading();
    await store.ledger.record(job, first, [makeArtifact('2.25.1', 'first')]);
    const second = await store.ledger.record(job, { ...first, readAt: '2030-01-01T00:00:00.000Z' }, [
      makeArtifact('2.25.1', 'second'),
    ]);
    expect(texts(second.artifacts)).toEqual([['sr', 'first']]);
    expect(second.reading.readAt).toBe(first.readAt);
    expect(texts((await store.ledger.latest(studyUid, model.id))!.artifacts)).toEqual([['sr', 'first']]);
  });

  test('a late image makes a new reading that keeps the old heat-map, because its UID names those bytes', async () => {
    const store = await bench.open();
    const job = await claimStudy(store);
    await store.ledger.record(job, makeReading(), [
      makeArtifact('2.25.1', 'SR 1'),
      heatmap('2.25.2', 'map'),
      bundle('cxr-1#1', '1'),
    ]);
    await store.ledger.record(job, lateReading(), [
      makeArtifact('2.25.3', 'SR 2'),
      heatmap('2.25.4', 'late map'),
      heatmap('2.25.2', 'map drawn again', 'heatmap-2'),
      bundle('cxr-1#2', '2'),
    ]);
    const { reading, artifacts } = (await store.ledger.latest(studyUid, model.id))!;
    expect(reading.revision).toBe(2);
    expect(texts(artifacts)).toEqual([
      ['sr', 'SR 2'],
      ['heatmap-1', 'late map'],
      ['heatmap-2', 'map'],
      ['fhir-bundle', '2'],
    ]);
  });

  test('bytes that are not of their digest are refused, because nothing could verify them later', async () => {
    const store = await bench.open();
    const wrong = makeArtifact('2.25.1', 'x', { sha256: sha256('y') });
    await expect(store.ledger.record(await claimStudy(store), makeReading(), [wrong])).rejects.toMatchObject({
      code: 'internal',
    });
    expect(await store.ledger.latest(studyUid, model.id)).toBeNull();
  });
}

function receipts(bench: StoreBench): void {
  test('receipts of each destination come back after a restart, because only the rest is delivered then', async () => {
    const store = await bench.open();
    const reading = makeReading();
    await store.ledger.record(await claimStudy(store), reading, [
      makeArtifact('2.25.1', 'SR'),
      bundle('cxr-1#1', '{}'),
    ]);
    await store.ledger.receive(reading, [makeReceipt('sr', 'pacs')]);
    await store.ledger.receive(reading, [makeReceipt('sr', 'folder')]);
    const { ledger } = await bench.reopen(store);
    expect((await ledger.latest(studyUid, model.id))!.receipts).toEqual([
      makeReceipt('sr', 'folder'),
      makeReceipt('sr', 'pacs'),
    ]);
  });

  test('a second receipt of the same artifact and destination replaces the first, because there is one proof', async () => {
    const store = await bench.open();
    const reading = makeReading();
    await store.ledger.record(await claimStudy(store), reading, [makeArtifact('2.25.1', 'SR')]);
    await store.ledger.receive(reading, [makeReceipt('sr')]);
    await store.ledger.receive(reading, [{ ...makeReceipt('sr'), note: 'again' }]);
    expect((await store.ledger.latest(studyUid, model.id))!.receipts).toEqual([
      { ...makeReceipt('sr'), note: 'again' },
    ]);
  });

  test('what was delivered of an earlier reading stays delivered under its new name, because the object is the same', async () => {
    const store = await bench.open();
    const job = await claimStudy(store);
    await store.ledger.record(job, makeReading(), [heatmap('2.25.2', 'map')]);
    await store.ledger.receive(makeReading(), [makeReceipt('heatmap-1')]);
    const { receipts } = await store.ledger.record(job, lateReading(), [
      heatmap('2.25.4', 'late map'),
      heatmap('2.25.2', 'map', 'heatmap-2'),
    ]);
    expect(receipts).toEqual([makeReceipt('heatmap-2')]);
  });

  test('a receipt of an unknown reading or artifact is refused, because it would prove nothing', async () => {
    const store = await bench.open();
    const refused = expect.objectContaining({ code: 'internal' });
    await expect(store.ledger.receive(makeReading(), [makeReceipt('sr')])).rejects.toEqual(refused);
    await store.ledger.record(await claimStudy(store), makeReading(), [makeArtifact('2.25.1', 'SR')]);
    await expect(store.ledger.receive(makeReading(), [makeReceipt('sr'), makeReceipt('other')])).rejects.toEqual(
      refused,
    );
    expect((await store.ledger.latest(studyUid, model.id))!.receipts).toEqual([]);
  });

  test('two patients with equal texts keep their own readings, because the study decides', async () => {
    const store = await bench.open();
    const other = makeReading({ study: makeStudyHeader({ StudyInstanceUID: '1.9', PatientID: 'PH-002' }) });
    await store.ledger.record(await claimStudy(store), makeReading(), [makeArtifact('2.25.1', 'same')]);
    await store.ledger.record(await claimStudy(store, '1.9'), other, [makeArtifact('2.25.9', 'same')]);
    await store.ledger.receive(other, [makeReceipt('sr')]);
    expect((await store.ledger.latest(studyUid, model.id))!.receipts).toEqual([]);
    expect((await store.ledger.latest('1.9', model.id))!.reading.study.PatientID).toBe('PH-002');
  });
}

function outcomes(bench: StoreBench): void {
  test('the last run says what became of every instance, because an older run may have seen fewer', async () => {
    const store = await bench.open();
    const job = await claimStudy(store);
    const outcome = (key: string): InstanceOutcome => ({
      key,
      SOPInstanceUID: key,
      outcome: 'skipped',
      reason: 'not-frontal',
      because: ['ViewPosition LL'],
      view: null,
      score: null,
      decision: null,
    });
    await store.ledger.recordOutcomes(job, [outcome('1.1')]);
    await store.ledger.recordOutcomes(job, [outcome('1.3'), outcome('1.2')]);
    expect((await store.board.get(studyUid))!.instances).toEqual([outcome('1.3'), outcome('1.2')]);
  });
}
