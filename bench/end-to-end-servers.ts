import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOrthanc } from '../src/sandbox/orthanc.ts';
import { startHapi } from '../test/services/hapi.ts';
import { startSimulatedArchive } from '../test/simulators/archive.ts';
import { startSimulatedFhir } from '../test/simulators/fhir.ts';

/**
 * Entry of a process: the servers of a hospital, so that their processor time is told apart from the gateway's. Its parent is
 * `end-to-end-hospital.ts`. One line with their addresses goes out; it ends when its standard input does.
 */

interface Servers {
  readonly pacsUrl: string;
  readonly fhirUrl: string;
  readonly close: () => Promise<unknown>;
}

/** Objects lie in a folder, as those of an archive do: hundreds of films would fill the memory. */
async function openSimulators(): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-archive-'));
  const [archive, fhir] = await Promise.all([startSimulatedArchive({ folder }), startSimulatedFhir()]);
  const close = async () => {
    await Promise.all([archive.close(), fhir.close()]);
    rmSync(folder, { recursive: true, force: true });
  };
  return { pacsUrl: archive.url, fhirUrl: fhir.url, close };
}

/** HAPI as it comes: it checks what it parses and not against the profiles. */
async function openReal(): Promise<Servers> {
  const [orthanc, hapi] = await Promise.all([startOrthanc(), startHapi({ validate: false })]);
  const close = () => Promise.all([orthanc.stop(), hapi.stop()]);
  return { pacsUrl: orthanc.dicomwebUrl, fhirUrl: hapi.url, close };
}

const { pacsUrl, fhirUrl, close } = process.argv[2] === 'real' ? await openReal() : await openSimulators();
console.log(JSON.stringify({ pacsUrl, fhirUrl }));
await once(process.stdin.resume(), 'end');
await close();
process.exit(0);
