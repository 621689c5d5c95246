import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { goldenRadiograph } from '../src/model/golden.ts';
import type { LoadedModel } from '../src/model/manifest.ts';
import { decodeModel } from '../src/model/onnx-schema.ts';
import { inputSide } from '../src/model/preprocess-steps.ts';
import { makeTestFilm } from '../test/support/films.ts';
import { settings } from '../test/support/readings.ts';
import { batches, type Entered } from './entry.ts';
import { multiplyAdds } from './graph-work.ts';
import { enterReader, enterSession, type Files } from './in-gateway.ts';
import { enterBare, enterEightBit, enterGraphics, writeNetworks } from './in-processes.ts';
import { residentOf } from './machine.ts';
import { type Contestant, type Timings, takeTurns } from './measure.ts';
import { enterPeers } from './peers.ts';
import { openModel, openNarrow } from './read-model.ts';
import { entryRow, memoryRows, paperEfficiency, peakRow, radiologistPerMinute } from './read-rows.ts';
import type { Report, Row } from './table.ts';
import { forms, type OpenForm, openForm, type Peak, peakOf } from './yardstick.ts';

/** Images a minute: of a film from DICOM to picture and score through the child, of everything below it, and of peers. */

export interface ReadOptions {
  readonly rounds: number;
  readonly peers: readonly string[];
  readonly model: string | null;
}

async function writeFiles(folder: string): Promise<Files> {
  const film = join(folder, 'film.dcm');
  writeFileSync(film, await makeTestFilm(1));
  const picture = join(folder, 'picture.png');
  const { columns, rows, pixels } = goldenRadiograph(1);
  const levels = Uint8Array.from(pixels, (pixel) => Math.round(pixel * 255));
  await sharp(levels, { raw: { width: columns, height: rows, channels: 1 } })
    .resize(inputSide, inputSide, { fit: 'fill' })
    .toColourspace('b-w')
    .png()
    .toFile(picture);
  return { film, picture };
}

function inFolder(folder: string, name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

const threadCounts = [1, 2] as const;

interface Setting {
  readonly title: string;
  readonly folder: string;
  readonly files: Files;
  /** Whether peers and graphics cards take part. */
  readonly withOthers: boolean;
}

/** Everyone who takes part, in the order of the table. */
async function* enter(model: LoadedModel, setting: Setting, pythons: readonly string[]): AsyncGenerator<Entered> {
  const { folder, files, withOthers } = setting;
  // A small network is measured by many images, so that starting a turn does not count.
  const images = multiplyAdds(decodeModel(model.weights)) > 1e9 ? 4 : 32;
  const spec = writeNetworks(model, folder, batches);
  const bare = await enterBare(spec, images);
  yield bare;
  for (const threads of threadCounts) yield await enterSession(model, threads, images);
  for (const [atOnce, threads] of [
    [1, 1],
    [1, 2],
    [2, 1],
  ] as const) {
    yield await enterReader(model, files, { atOnce, threads, settings, images });
  }
  yield await enterEightBit(model, inFolder(folder, 'int8'), images);
  if (!withOthers) return;
  const forPeers = writeNetworks(model, inFolder(folder, 'peers'), batches, 'as floats');
  yield await enterPeers(forPeers, { pythons, probability: bare.probability, images });
  yield await enterGraphics(model, folder, bare);
}

async function benchModel(model: LoadedModel, setting: Setting, { rounds, peers }: ReadOptions): Promise<Report> {
  const work = multiplyAdds(decodeModel(model.weights));
  const entered: Entered[] = [];
  const open: OpenForm[] = [];
  try {
    for (const threads of threadCounts) for (const form of forms()) open.push(await openForm(form, threads));
    for await (const each of enter(model, setting, peers)) entered.push(each);
    const entries = entered.flatMap((each) => each.entries);
    const contestants = entries.flatMap(({ contestant }) => contestant ?? []);
    const timings = await takeTurns([...open.map(contestantOf), ...contestants], rounds);
    const peaks = new Map(threadCounts.map((threads) => [threads as number, peakFrom(open, timings, threads)]));
    const rows: readonly Row[] = [
      ...[...peaks].map(([threads, peak]) => peakRow(peak, threads, work)),
      ...entries.map((entry) => entryRow(entry, timings, peaks, work)),
      ...entered.flatMap(({ pids = new Map() }) =>
        [...pids].flatMap(([of, ids]) => memoryRows(of, ids.map(residentOf))),
      ),
    ];
    return { name: setting.title, about: aboutOf(model, work), rows };
  } finally {
    await Promise.allSettled([...open, ...entered].map(({ close }) => close()));
  }
}

const nameOf = ({ form, threads }: OpenForm): string => `peak ${threads} ${form.name}`;

const contestantOf = (open: OpenForm): Contestant => ({ name: nameOf(open), times: open.times, work: open.run });

function peakFrom(open: readonly OpenForm[], timings: Timings, threads: number): Peak {
  const own = open.filter((each) => each.threads === threads);
  const rates = own.map((each): [string, readonly number[]] => {
    const seconds = timings.get(nameOf(each)) ?? [];
    return [each.form.name, seconds.map((piece) => each.form.multiplyAdds / piece)];
  });
  return peakOf(new Map(rates));
}

function aboutOf({ manifest }: LoadedModel, work: number): string {
  return [
    `${manifest.name} (\`${manifest.id}\`): ${(work / 1e9).toPrecision(3)} G multiply-adds an image.`,
    `Efficiency: images a minute by the ${radiologistPerMinute} of a radiologist; the paper reports ${paperEfficiency}.`,
  ].join(' ');
}

/** The model, with peers; and the narrow network, on which everything but the network can be seen. */
export async function benchRead(options: ReadOptions): Promise<readonly Report[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-'));
  try {
    const files = await writeFiles(folder);
    const model = await openModel(options.model, inFolder(folder, 'built'));
    const full = { title: 'read', folder: inFolder(folder, 'full'), files, withOthers: true };
    const reports = [await benchModel(model, full, options)];
    if (options.model !== null) return reports;
    const small = { title: 'read, narrow network', folder: inFolder(folder, 'narrow'), files, withOthers: false };
    return [...reports, await benchModel(openNarrow(), small, options)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
