import type { Codes } from '../../src/core/codes.ts';
import type { Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import type {
  Artifact,
  ArtifactKind,
  Chosen,
  Described,
  Destination,
  InstanceOutcome,
  Ledger,
  Output,
  Receipt,
  Recorded,
} from '../../src/core/ports.ts';
import type { ProviderUse } from '../../src/core/provider.ts';
import type { Dataset, Instance, PatientIdentity } from '../../src/core/study.ts';
import { readStudy } from '../../src/pipeline.ts';
import { createSteps, type World } from '../../src/steps/index.ts';
import { makeImageHeader, makeJob, makePicture, makeStudyHeader, model, settings } from './readings.ts';

/** The spine over plain objects: a listing, a reader that gives scores by key, destinations that can be told to fail. */

export interface FilmPlan {
  readonly key: string;
  readonly uid?: string;
  readonly score?: number;
  readonly digest?: string;
  readonly skip?: 'own-output' | 'not-chest';
  readonly fails?: Failure;
  readonly patient?: string;
  readonly provider?: ProviderUse;
  /** Content Time of the header. */
  readonly time?: string;
}

export const header = (plan: FilmPlan): Dataset => ({
  '00080018': { vr: 'UI', Value: [plan.uid ?? plan.key] },
  '00080033': { vr: 'TM', Value: [plan.time ?? '090000'] },
  '00100020': { vr: 'LO', Value: [plan.patient ?? 'PH-001'] },
});

export function describeHeader(dataset: Dataset): Described {
  const value = (tag: string) => String(dataset[tag]?.Value?.[0]);
  return {
    study: makeStudyHeader({ PatientID: value('00100020') }),
    image: makeImageHeader({ SOPInstanceUID: value('00080018') }),
    flags: [],
  };
}

export function memoryLedger(): Ledger & { readonly recordings: Recorded[]; outcomes: readonly InstanceOutcome[] } {
  const recordings: Recorded[] = [];
  return {
    recordings,
    outcomes: [],
    latest: async (_study, modelId) =>
      recordings.findLast(({ reading }) => modelId === null || reading.model.id === modelId) ?? null,
    async record(_job, reading, artifacts) {
      const recorded = { reading, artifacts, receipts: [] };
      recordings.push(recorded);
      return recorded;
    },
    async receive(reading, receipts) {
      const index = recordings.findLastIndex((one) => one.reading === reading);
      const recorded = recordings[index]!;
      recordings[index] = { ...recorded, receipts: [...recorded.receipts, ...receipts] };
    },
    async recordOutcomes(_job, outcomes) {
      this.outcomes = outcomes;
    },
  };
}

export function output(kind: ArtifactKind, name: string): Output {
  return {
    kind,
    compose({ reading, identity }): readonly Artifact[] {
      const bytes = Buffer.from(`${name} ${reading.score} ${reading.revision}`);
      const id = kind === 'sr' ? identity.sr.SOPInstanceUID : `${identity.diagnosticReportId}#${reading.revision}`;
      return [
        {
          kind,
          name,
          fileName: name,
          mediaType: 'application/dicom',
          id,
          SOPClassUID: '1.2',
          bytes,
          sha256: sha256(bytes),
        },
      ];
    },
  };
}

export function destination(name: string, kinds: readonly ArtifactKind[], failures: Failure[] = []) {
  const stored: Artifact[] = [];
  const port: Destination = {
    name,
    kinds,
    async deliver(artifacts): Promise<readonly Receipt[]> {
      const failure = failures.shift();
      if (failure) throw failure;
      stored.push(...artifacts);
      return artifacts.map(({ name: artifact }) => ({ artifact, destination: name, storedAt: 't', note: '' }));
    },
  };
  return { port, stored };
}

export function makeWorld(plans: FilmPlan[], overrides: Partial<World> = {}) {
  const ledger = memoryLedger();
  const pacs = destination('pacs', ['sr']);
  const fhir = destination('fhir', ['fhir-bundle']);
  const reads: string[] = [];
  const patients: PatientIdentity[] = [{ PatientID: 'PH-001', IssuerOfPatientID: null }];
  const world: World = {
    archive: {
      name: 'test',
      list: async () => plans.map((plan): Instance => ({ key: plan.key, header: header(plan), failure: null })),
      patients: async () => patients,
      fetch: async ({ key }) => key,
      release: async () => {},
    },
    reader: {
      header: async () => ({}),
      async read({ path }) {
        reads.push(path);
        const plan = plans.find(({ key }) => key === path)!;
        if (plan.fails) throw plan.fails;
        const map = { columns: 1, rows: 1, values: [1] };
        const digest = plan.digest ?? plan.key;
        return {
          header: header(plan),
          pixelDigest: digest,
          score: plan.score ?? 0.9,
          map,
          region: [],
          zone: 'right-upper' as const,
          picture: makePicture(),
          flags: [],
          provider: plan.provider ?? { asked: 'cpu', used: 'cpu' },
        };
      },
      close: async () => {},
    },
    ledger,
    outputs: [output('sr', 'sr'), output('fhir-bundle', 'fhir-bundle')],
    destinations: [pacs.port, fhir.port],
    select: (instances) =>
      instances.map((instance): Chosen => {
        const code = plans.find(({ key }) => key === instance.key)?.skip;
        return {
          instance,
          choice: code ? { outcome: 'skipped', code, because: [] } : { outcome: 'eligible', view: 'PA' },
        };
      }),
    describe: describeHeader,
    model,
    settings,
    codes: {} as Codes,
    gateway: { manufacturer: 'm', modelName: 'g', softwareVersion: '0' },
    siteSecret: 'a secret of the tests',
    reportFailures: false,
    settle: { quietSeconds: 0, maxSeconds: 900 },
    progress: async () => {},
    now: () => Date.parse('2026-03-14T09:20:00Z'),
    ...overrides,
  };
  return { world, ledger, pacs, fhir, reads, patients };
}

export const run = (world: World, job = makeJob()) => readStudy(job, createSteps(world));
