import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FhirStoreOptions, type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import type { Resource } from '../../src/sandbox/fhir-tables.ts';
import { bypass, createRecorder, type Journal, type Recorder, type SimulatorOptions } from './journal.ts';

/** The sandbox's FHIR store, told to misbehave. */

export interface SimulatedFhirOptions extends SimulatorOptions, Omit<FhirStoreOptions, 'before'> {}

export interface SimulatedFhir extends RunningFhirStore, Journal, Pick<Recorder, 'setScript' | 'setObserver'> {
  /** Somebody else writes a resource under its id: a patient appears, a report is signed. */
  put(resource: Resource & { readonly id: string }): Promise<void>;
  /** Writes `fhir.json`: an array of all resources, each an array of its versions, oldest first. */
  dump(folder: string): void;
}

export async function startSimulatedFhir(options: SimulatedFhirOptions = {}): Promise<SimulatedFhir> {
  const recorder = createRecorder(options);
  const store = await startFhirStore({ ...options, before: recorder.handler });
  const { requests, inFlight, highestInFlight, setScript, setObserver } = recorder;
  return {
    ...store,
    ...{ requests, inFlight, highestInFlight, setScript, setObserver },
    async put(resource) {
      const answer = await fetch(`${store.url}/${resource.resourceType}/${resource.id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/fhir+json', [bypass]: '1' },
        body: JSON.stringify(resource),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`expected the store to take a ${resource.resourceType}, got ${text}`);
    },
    dump(folder) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'fhir.json'), JSON.stringify(store.history(), null, 1));
    },
  };
}
