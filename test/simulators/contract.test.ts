import { startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { dicomwebArchiveContract } from '../contracts/dicomweb-archive.ts';
import { fhirServerContract } from '../contracts/fhir-server.ts';
import { startHapi, whyNoHapi } from '../services/hapi.ts';
import { startSimulatedArchive } from './archive.ts';
import { startSimulatedFhir } from './fhir.ts';

/** A simulator without a script is what the real servers are; else what a test shows on it is worth nothing. */

dicomwebArchiveContract('the simulator', async () => {
  const archive = await startSimulatedArchive();
  return { url: archive.url, stop: () => archive.close() };
});

fhirServerContract('the simulator', async () => {
  const fhir = await startSimulatedFhir();
  return { url: fhir.url, stop: () => fhir.close() };
});

function orSkipped(why: string | null, contract: () => void): void {
  if (why === null || process.env['CI']) contract();
  else console.warn(`Skipped, the same on a real server: ${why}.`);
}

orSkipped(whyNoOrthanc(), () =>
  dicomwebArchiveContract('Orthanc', async () => {
    const orthanc = await startOrthanc();
    return { url: orthanc.dicomwebUrl, stop: () => orthanc.stop() };
  }),
);

orSkipped(whyNoHapi(), () => fhirServerContract('HAPI', startHapi));
