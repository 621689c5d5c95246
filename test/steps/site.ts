import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asFailure, type Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import type { Artifact, Destination, Receipt, RejectionNote, Retraction } from '../../src/core/ports.ts';
import type { Demand, StudyEvent } from '../../src/core/study.ts';
import { digestOfHeader } from '../../src/dicom/header-digest.ts';
import { openStore } from '../../src/jobs/index.ts';
import { settlementOf } from '../../src/jobs/runner.ts';
import { readStudy } from '../../src/pipeline.ts';
import { createSteps, type World } from '../../src/steps/index.ts';
import { studyUid } from '../support/readings.ts';
import { type FilmPlan, makeWorld } from '../support/spine.ts';

/** A site with a real store: an archive that lists what it was given, our results included, and announces. */

export interface Site {
  readonly films: FilmPlan[];
  /** What the archive holds of ours. */
  readonly pacs: Artifact[];
  readonly fhir: Artifact[];
  readonly notes: RejectionNote[];
  readonly retractions: { readonly artifact: string; readonly retraction: Retraction }[];
  readonly reads: string[];
  readonly alerts: string[];
  /** Thrown by the next calls of a destination. */
  readonly failing: { pacs: (Failure | null)[]; fhir: Failure[]; retract: Failure[] };
  readonly store: ReturnType<typeof openStore>;
  /** Announces and runs the study once; gives the state that it is in then. */
  announce(event?: Partial<StudyEvent>): Promise<string>;
  replay(demand?: Partial<Demand>): Promise<string>;
  retract(demand?: Partial<Demand>): Promise<string>;
  /** Another configuration or model from now on. */
  change(world: Partial<World>): void;
  world(): World;
  close(): void;
}

export function makeSite(films: FilmPlan[]): Site {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-site-'));
  const store = openStore(folder);
  const made = makeWorld(films);
  const pacs: Artifact[] = [];
  const fhir: Artifact[] = [];
  const site = {
    ...{ films, pacs, fhir, store, reads: made.reads },
    notes: [] as RejectionNote[],
    retractions: [] as { artifact: string; retraction: Retraction }[],
    alerts: [] as string[],
    failing: { pacs: [] as (Failure | null)[], fhir: [] as Failure[], retract: [] as Failure[] },
  };
  let world = worldOf(site, made.world);
  let now = 1_000;
  const announce = async (event: Partial<StudyEvent> = {}) => {
    now += 1_000;
    await store.queue.announce({ studyInstanceUid: studyUid, source: 'test', priority: 'routine', ...event }, now);
    const job = (await store.queue.claimStudy(studyUid, now))!;
    const rules = { retryWindowMs: 1e9, random: () => 0 };
    const settlement = await readStudy(job, createSteps(world)).catch((thrown: unknown) =>
      settlementOf(job, asFailure(thrown), now, rules),
    );
    await store.queue.settle(job, settlement, now);
    return 'code' in settlement && settlement.code ? `${settlement.state} ${settlement.code}` : settlement.state;
  };
  const ask = (demand: Demand) => announce({ demand, priority: 'stat' });
  return {
    ...site,
    announce,
    replay: (demand) => ask({ kind: 'replay', reason: 'because', by: 'test', id: randomUUID(), ...demand }),
    retract: (demand) => ask({ kind: 'retract', reason: 'a wrong model', by: 'test', id: randomUUID(), ...demand }),
    change: (overrides) => {
      world = { ...world, ...overrides };
    },
    world: () => world,
    close: () => {
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function worldOf(
  site: Omit<Site, 'announce' | 'replay' | 'retract' | 'change' | 'world' | 'close'>,
  world: World,
): World {
  const { store, pacs, fhir, films, failing } = site;
  const receiptsOf = (destination: string, artifacts: readonly Artifact[]): readonly Receipt[] =>
    artifacts.map(({ name: artifact }) => ({ artifact, destination, storedAt: '2026-03-14T09:21:00Z', note: '' }));
  const archive: Destination = {
    name: 'pacs',
    kinds: ['sr', 'heatmap', 'rejection-note'],
    async deliver(artifacts) {
      const failure = failing.pacs.shift();
      if (failure) throw failure;
      pacs.push(...artifacts);
      films.push(...artifacts.map(({ id }): FilmPlan => ({ key: id, skip: 'own-output' })));
      return receiptsOf('pacs', artifacts);
    },
  };
  const ehr: Destination = {
    name: 'fhir',
    kinds: ['fhir-bundle'],
    async deliver(artifacts) {
      const failure = failing.fhir.shift();
      if (failure) throw failure;
      fhir.push(...artifacts);
      return receiptsOf('fhir', artifacts);
    },
    async retract(artifacts, retraction) {
      const failure = failing.retract.shift();
      if (failure) throw failure;
      // A destination looks into the report to find what it has of it.
      site.retractions.push(
        ...artifacts.flatMap(({ id, bytes }) => (bytes.length > 0 ? [{ artifact: id, retraction }] : [])),
      );
      return receiptsOf('fhir', artifacts);
    },
  };
  return {
    ...world,
    ledger: store.ledger,
    destinations: [archive, ehr],
    progress: (job, state) => store.queue.advance(job, state, 2_000),
    alert: (code) => void site.alerts.push(code),
    again: {
      looks: store.memory('looks'),
      digestOf: digestOfHeader,
      withdrawals: store.withdrawals,
      resultsElsewhere: false,
      composeNote(note) {
        site.notes.push(note);
        const bytes = Buffer.from(`note on ${note.targets.length}`);
        const id = note.identity.SOPInstanceUID;
        return {
          ...{ kind: 'rejection-note', name: 'rejection-note', fileName: 'n.dcm', mediaType: 'application/dicom' },
          ...{ id, SOPClassUID: '1.2', bytes, sha256: sha256(bytes) },
        };
      },
    },
  } as World;
}
