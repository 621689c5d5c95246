import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asFailure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import { figuresFile, readDocuments, requireOwnFigures } from './documents.ts';
import { cardPage } from './page.ts';

/** Does the card of a model say what its documents say? Asks for no film. */

export const cardFile = 'CARD.md';

/** What is wrong; null when nothing is. */
export function complaint(folder: string): string | null {
  try {
    const documents = readDocuments(folder);
    requireOwnFigures(documents);
    const { id, weights } = documents.manifest;
    if (sha256(readFileSync(join(folder, weights.file))) !== weights.sha256)
      return `${weights.file} has another sha256`;
    if (!existsSync(join(folder, cardFile))) return `there is no ${cardFile}`;
    const card = readFileSync(join(folder, cardFile), 'utf8');
    return card === cardPage(documents, id) ? null : `${cardFile} is not what its documents say`;
  } catch (thrown) {
    return asFailure(thrown).message;
  }
}

/** Trained models must have a card of this kind; an untrained one may say in its own words that it has learned nothing. */
export function modelsWithCard(models: string): readonly string[] {
  return readdirSync(models)
    .map((name) => join(models, name))
    .filter((folder) => existsSync(join(folder, 'model.json')))
    .filter((folder) => {
      const { training } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as { training?: string };
      return training === 'trained' || existsSync(join(folder, figuresFile));
    });
}
