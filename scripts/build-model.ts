import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildUntrained } from '../src/model/untrained.ts';

/** Writes a model folder with a ResNet-101 of seeded noise weights: for speed, shape and flow, never for reading films. */

const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '64' },
    seed: { type: 'string', default: '7' },
    id: { type: 'string' },
    out: { type: 'string', default: 'models' },
  },
});

const width = Number(values.width);
const seed = Number(values.seed);
if (!Number.isInteger(width) || width < 1 || !Number.isInteger(seed)) {
  console.error(
    'usage: build-model.ts [--width 64] [--seed 7] [--id NAME] [--out FOLDER]; width and seed are whole numbers',
  );
  process.exit(64);
}
const id = values.id ?? (width === 64 ? 'resnet101-untrained' : `resnet101-w${width}-untrained`);
const folder = join(values.out, id);
const { files, parameters } = await buildUntrained({ id, width, seed });
mkdirSync(folder, { recursive: true });
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
console.log(`${folder}: ${parameters} parameters, ${files['weights.onnx'].byteLength} bytes of weights, untrained`);
