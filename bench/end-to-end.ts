import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadedModel } from '../src/model/manifest.ts';
import { decodeModel } from '../src/model/onnx-schema.ts';
import { whyNoOrthanc } from '../src/sandbox/orthanc.ts';
import { whyNoHapi } from '../test/services/hapi.ts';
import { settingsInWords, startServe } from './end-to-end-gateway.ts';
import { createFilms, type FilmMaker, type HospitalKind, hospitals, openHospital } from './end-to-end-hospital.ts';
import { type FullLoad, inFlight, runFullLoad, runSteady, studiesOfRound, type World } from './end-to-end-load.ts';
import { type Measured, rowsOf } from './end-to-end-rows.ts';
import { multiplyAdds } from './graph-work.ts';
import { startSame, writeNetworks } from './in-processes.ts';
import { openModel, openNarrow } from './read-model.ts';
import type { Report } from './table.ts';
import { isAbsent, type Turns } from './turns.ts';

/** Studies a minute from an archive to the results in it and in a FHIR server, and what the gateway adds to its network. */

export interface EndToEndOptions {
  readonly rounds: number;
  readonly model: string | null;
}

const phantoms = 4;
/** Studies that arrive at a steady pace. */
const arriving = 40;
/** The pace of the goal, or this part of what the full load showed where that is less. */
const goalPerMinute = 300;
const partOfFull = 0.8;

export async function benchEndToEnd({ rounds, model }: EndToEndOptions): Promise<readonly Report[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-'));
  try {
    const films = await createFilms(phantoms);
    const models = model === null ? [openNarrow(), await openModel(null, folder)] : [await openModel(model, folder)];
    const reports: Report[] = [];
    for (const kind of Object.keys(hospitals) as HospitalKind[]) {
      const why = kind === 'real' ? (whyNoOrthanc() ?? whyNoHapi()) : null;
      for (const each of models) {
        const scene = { kind, model: each, films, rounds, folder: join(folder, `${kind}-${each.manifest.id}`) };
        reports.push(why === null ? await benchOne(scene) : absent(scene, why));
      }
    }
    return reports;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Scene {
  readonly kind: HospitalKind;
  readonly model: LoadedModel;
  readonly films: FilmMaker;
  readonly rounds: number;
  readonly folder: string;
}

const nameOf = ({ kind, model }: Scene): string => `end-to-end, ${hospitals[kind]}, ${model.manifest.id}`;

const absent = (scene: Scene, note: string): Report => ({
  name: nameOf(scene),
  about: 'Not measured.',
  rows: [{ id: 'full', what: 'studies at full load', value: null, unit: 'studies/min', note }],
});

async function benchOne(scene: Scene): Promise<Report> {
  mkdirSync(scene.folder);
  const images = multiplyAdds(decodeModel(scene.model.weights)) > 1e9 ? 8 : 256;
  const bare = await openBare(scene);
  const hospital = await openHospital(scene.kind);
  try {
    const gateway = await startServe(hospital, scene.model);
    try {
      const measured = await measure(
        scene,
        { gateway, hospital, films: scene.films },
        () => bare.run(1, images),
        images,
      );
      return { name: nameOf(scene), about: aboutOf(scene, measured), rows: rowsOf(measured) };
    } finally {
      await gateway.close();
    }
  } finally {
    await Promise.all([hospital.close(), bare.close()]);
  }
}

/** Bare ONNX Runtime on both cores. */
async function openBare({ model, folder }: Scene): Promise<Turns> {
  const turns = await startSame(
    process.execPath,
    ['--no-warnings', join(import.meta.dirname, 'onnxruntime.ts')],
    { ...writeNetworks(model, folder, [1]), threads: 2, provider: 'cpu' },
    null,
  );
  if (isAbsent(turns)) throw new Error(`ONNX Runtime: ${turns.absent}`);
  return turns;
}

/** Bare inference and full load take turns; the first round does not count. Then studies at a steady pace. */
async function measure(
  { rounds }: Scene,
  world: World,
  runBare: () => Promise<number>,
  images: number,
): Promise<Measured> {
  const loads: FullLoad[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const seconds = await runBare();
    const load = await runFullLoad(world, round * studiesOfRound);
    if (round === 0) continue;
    bare.push((images * 60) / seconds);
    loads.push(load);
    console.error(`  ${load.perMinute.toFixed(0)} studies/min`);
  }
  const full = Math.min(...loads.map(({ perMinute }) => perMinute));
  const pace = Math.min(goalPerMinute, Math.floor(partOfFull * full));
  const steady = await runSteady(world, (rounds + 1) * studiesOfRound, arriving, pace);
  return { loads, bare, pace, steady };
}

function aboutOf({ films, kind }: Scene, { loads }: Measured): string {
  return [
    `${loads.length} rounds of a full load (${inFlight} studies announced and not done, at every moment) of films of`,
    `${films.mebibytes.toFixed(1)} MiB, uncompressed, in ${hospitals[kind]} on the same cores; ${settingsInWords}.`,
  ].join(' ');
}
