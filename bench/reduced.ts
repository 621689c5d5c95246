import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeFrame, jpeg2000Lossless } from '../src/dicom/encode.ts';
import { parsePart10 } from '../src/dicom/part10.ts';
import { loadModel } from '../src/model/manifest.ts';
import { readPicture } from '../src/model/picture-file.ts';
import { gaussian } from '../src/model/random.ts';
import { resample } from '../src/model/resample.ts';
import { openNetwork } from '../src/model/session.ts';
import { preprocess } from '../src/model/tensor.ts';
import { hangFilm } from '../src/reader/hanging.ts';
import { makeSmallFilm } from '../test/support/films.ts';

/**
 * `node bench/reduced.ts FOLDER`: how far `reducedDecoding` moves a score. Pictures of the folder are brought to the matrix of a detector,
 * with the noise of one, kept in JPEG 2000, and read at both sizes; DICOM files of it in JPEG 2000 are read as they are. Ends with 1 when
 * one score of a film moves by more than 0.005.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'models/resnet101-airspace-opacity' },
    films: { type: 'string', default: '200' },
    side: { type: 'string', default: '2048' },
  },
});
const [folder] = positionals;
if (folder === undefined)
  throw new Error('usage: node bench/reduced.ts FOLDER [--films 200] [--side 2048] [--model FOLDER]');

const mostMoved = 0.005;
/** Standard deviation of the noise, in shares of the whole range: that of a well exposed film. */
const noise = 0.004;

const model = loadModel(values.model);
const network = await openNetwork(model, { threads: 2 });

async function scoreOf(file: Uint8Array, reducedDecoding: boolean): Promise<number> {
  const { film } = await hangFilm(parsePart10(file), reducedDecoding ? { reducedDecoding } : {});
  const { probabilities } = await network.infer(preprocess(film, model.manifest.preprocess).tensor);
  return probabilities[1];
}

/** A picture as a detector would have taken it. */
async function enlarged(bytes: Uint8Array, seed: number): Promise<Uint8Array> {
  const { columns, rows, pixels } = await readPicture(bytes, 1e8);
  const wide = Number(values.side);
  const tall = Math.round((wide * rows) / columns);
  const large = resample({ columns, rows, values: pixels }, wide, tall, 'bicubic');
  const draw = gaussian(seed);
  const stored = Uint16Array.from(large.values, (value) => {
    const noisy = value + noise * draw();
    return Math.round(4095 * Math.min(1, Math.max(0, noisy)));
  });
  const frame = { columns: wide, rows: tall, bitsStored: 12, values: stored };
  const PixelData = await encodeFrame(jpeg2000Lossless, frame);
  const attributes = { Rows: tall, Columns: wide, WindowCenter: 2048, WindowWidth: 4096, PixelData };
  return makeSmallFilm(seed, attributes, jpeg2000Lossless);
}

const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(jpe?g|png|dcm)$/i.test(path))
  .sort();
const step = Math.max(1, Math.floor(paths.length / Number(values.films)));
const chosen = paths.filter((_, index) => index % step === 0).slice(0, Number(values.films));
const moved: number[] = [];
for (const [index, path] of chosen.entries()) {
  const bytes = new Uint8Array(readFileSync(join(folder, path)));
  const film = path.toLowerCase().endsWith('.dcm') ? bytes : await enlarged(bytes, index + 1);
  const [whole, reduced] = [await scoreOf(film, false), await scoreOf(film, true)];
  moved.push(Math.abs(whole - reduced));
  if ((index + 1) % 20 === 0)
    console.error(`${index + 1}/${chosen.length} films, moved by ${Math.max(...moved).toFixed(4)} at most`);
}
await network.close();
const sorted = moved.toSorted((a, b) => a - b);
const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(5);
console.log(
  `${moved.length} films: moved by ${at(0.5)} in the middle, ${at(0.95)} for 95 %, ${at(1)} at most; wanted at most ${mostMoved}`,
);
process.exitCode = (sorted.at(-1) ?? 1) <= mostMoved ? 0 : 1;
