import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { asFailure, Failure } from '../src/core/failure.ts';
import { cardFile, complaint, modelsWithCard } from './card/check.ts';
import { figuresFile, notesFile, readDocuments, requireOwnFigures } from './card/documents.ts';
import type { Figures } from './card/figures.ts';
import { cardPage } from './card/page.ts';

/**
 * The card of a model, by one command:
 *
 *     npm run card -- --model models/ID --data ../shared/data --write   measures what is not measured yet, writes card and figures
 *     npm run card -- --model models/ID --write                         writes the card anew from the figures that are there
 *     npm run card -- --check                                           fails when a card is not what its folder says
 *
 * Without `--write` nothing in the model folder changes, and the card is printed.
 */

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    work: { type: 'string' },
    readers: { type: 'string', default: String(availableParallelism()) },
    write: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

function check(): void {
  const models = join(import.meta.dirname, '../models');
  for (const folder of values.model === undefined ? modelsWithCard(models) : [values.model]) {
    const wrong = complaint(folder);
    console.log(`${basename(resolve(folder))}: ${wrong ?? 'the card fits'}`);
    if (wrong !== null) process.exitCode = 1;
  }
}

async function make(folder: string): Promise<void> {
  const figures = values.data === undefined ? null : await measured(folder, values.data);
  const documents = readDocuments(folder, figures);
  requireOwnFigures(documents);
  const page = cardPage(documents, documents.manifest.id);
  if (documents.notes === null) console.error(`no ${notesFile} yet: what is to be seen on the failures is not told`);
  if (!values.write) {
    console.log(page);
    return;
  }
  if (figures) writeFileSync(join(folder, figuresFile), `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(join(folder, cardFile), page);
  console.error(`written: ${join(folder, cardFile)}`);
}

async function measured(folder: string, data: string): Promise<Figures> {
  const readers = Math.round(Number(values.readers));
  if (!(readers >= 1 && readers <= 64))
    throw new Failure('config-invalid', { where: '--readers', expected: 'a number from 1 to 64' });
  // Loaded here: a check needs neither the reader nor the runtime of the network.
  const { measureModel } = await import('./card/measure-model.ts');
  return measureModel({ folder, data, work: values.work ?? null, readers, fresh: values.fresh });
}

try {
  if (values.check) check();
  else if (values.model !== undefined) await make(values.model);
  else throw new Failure('config-invalid', { where: '--model', expected: 'a model folder' });
} catch (thrown) {
  const failure = asFailure(thrown);
  console.error(failure.code === 'internal' ? thrown : failure.message);
  process.exitCode = failure.code === 'config-invalid' || failure.code === 'model-unusable' ? 78 : 65;
}
