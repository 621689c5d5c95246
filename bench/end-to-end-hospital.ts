import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { makeTestFilm } from '../test/support/films.ts';

/** The hospital of the benchmark: an archive that holds films and a FHIR server that knows their patients. */

export const hospitals = {
  simulators: 'the simulators of the tests',
  real: 'Orthanc and HAPI FHIR',
} as const;
export type HospitalKind = keyof typeof hospitals;

export interface BenchHospital {
  readonly pid: number;
  readonly pacsUrl: string;
  readonly fhirUrl: string;
  close(): Promise<void>;
}

const addresses = z.object({ pacsUrl: z.string(), fhirUrl: z.string() });

/** Raises when a server does not start. */
export async function openHospital(kind: HospitalKind): Promise<BenchHospital> {
  const entry = join(import.meta.dirname, 'end-to-end-servers.ts');
  const child = spawn(process.execPath, ['--no-warnings', entry, kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (line.done) throw new Error(`the servers (${kind}) did not start`);
  return {
    ...addresses.parse(JSON.parse(line.value)),
    pid: child.pid!,
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** Numbers of one length, so that the bytes of one film can be made those of another by putting its number in place. */
const firstNumber = 100_000;
export const patientSystem = 'urn:x-bench:mrn';
export const issuer = 'TESTS';

export interface FilmMaker {
  /** Films as a detector sends them: 2048 × 2500, uncompressed; every one a study and a patient of its own. */
  readonly make: (number: number) => Uint8Array;
  readonly mebibytes: number;
}

/** Films of a few phantoms in turn; drawing one takes longer than reading it. */
export async function createFilms(phantoms: number): Promise<FilmMaker> {
  const drawn: Uint8Array[] = [];
  for (let i = 0; i < phantoms; i++) drawn.push(await makeTestFilm(firstNumber, { seed: i + 1 }));
  return {
    make: (number) => renumbered(drawn[number % drawn.length]!, firstNumber, firstNumber + number),
    mebibytes: drawn[0]!.length / 2 ** 20,
  };
}

/** The header lies in the first bytes; pixels are left alone. */
const headerBytes = 8192;

/** The film with another number in place of the one that its identity was made from. */
export function renumbered(film: Uint8Array, from: number, to: number): Uint8Array {
  const own = Buffer.from(film);
  const header = own.subarray(0, headerBytes);
  const [old, given] = [String(from), String(to)];
  if (old.length !== given.length) throw new RangeError(`expected a number of ${old.length} digits, got ${given}`);
  for (let at = header.indexOf(old); at >= 0; at = header.indexOf(old, at + 1)) header.write(given, at, 'latin1');
  return own;
}

export const studyOf = (number: number): string => `2.25.9000${firstNumber + number}`;

/** As a modality sends it (STOW-RS), after the patient was admitted. */
export async function send({ pacsUrl, fhirUrl }: BenchHospital, films: FilmMaker, number: number): Promise<void> {
  const id = String(firstNumber + number);
  const identifier = [{ system: patientSystem, value: `TEST-${id}` }];
  const patient = { resourceType: 'Patient', id: `p-${id}`, identifier };
  await expectOk(`${fhirUrl}/Patient/p-${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(patient),
  });
  const boundary = 'end-to-end-bench';
  const head = Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
  const body = Buffer.concat([head, films.make(number), Buffer.from(`\r\n--${boundary}--\r\n`)]);
  await expectOk(`${pacsUrl}/studies`, {
    method: 'POST',
    headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}` },
    body,
  });
}

async function expectOk(url: string, init: RequestInit): Promise<void> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${init.method} ${new URL(url).pathname}: ${answer.status} ${text.slice(0, 300)}`);
}
