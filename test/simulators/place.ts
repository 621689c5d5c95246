import { type SimulatedArchive, startSimulatedArchive } from './archive.ts';
import { type SimulatedFhir, startSimulatedFhir } from './fhir.ts';
import { type Gateway, type GatewayOptions, openGateway } from './gateway.ts';

/** An archive, a FHIR server and a gateway between them. */
export interface Place {
  readonly archive: SimulatedArchive;
  readonly fhir: SimulatedFhir;
  readonly gateway: Gateway;
}

/** @param closing is given what ends the place, to be called from the last to the first. */
export async function openPlace(
  closing: (() => Promise<unknown>)[],
  optionsFor: (archive: SimulatedArchive) => Pick<GatewayOptions, 'onStep'> = () => ({}),
): Promise<Place> {
  const archive = await startSimulatedArchive();
  const fhir = await startSimulatedFhir();
  const gateway = await openGateway({ archive, fhir, ...optionsFor(archive) });
  closing.push(
    () => archive.close(),
    () => fhir.close(),
    () => gateway.close(),
  );
  return { archive, fhir, gateway };
}
