import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Examine } from '../core/examination.ts';
import { Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';
import type { ModelIdentity } from '../core/reading.ts';
import { assess } from './assess.ts';
import { boxesOf } from './boxes.ts';
import type { Evaluation, EvaluationSettings, Machine } from './evaluation.ts';
import { chooseGallery, galleryNames } from './gallery.ts';
import { assessHeatMaps } from './heat-map.ts';
import { metricsOf } from './metrics.ts';
import { readTrainingDigests } from './overlap.ts';
import { isPositive, predictionsCsv, type ScoringOptions, scoreRows } from './predictions.ts';
import { reportHtml } from './report-html.ts';
import type { Scored } from './scored.ts';
import { checkShortcuts } from './shortcuts.ts';
import { type Row, readTable } from './table.ts';

/** Scores the films of a table and says what that tells about a model. What waits and what fails is handed in. */

export interface EvaluateOptions {
  /** The table. */
  readonly images: string;
  /** Folder that the files of the table lie in. */
  readonly root: string;
  readonly modelFolder: string;
  readonly model: ModelIdentity;
  readonly settings: EvaluationSettings;
  readonly machine: Machine;
  readonly software: string;
}

export interface EvaluateTools {
  readonly examine: Examine;
  readonly progress: ScoringOptions['progress'];
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

export interface EvaluationFiles {
  readonly evaluation: Evaluation;
  /** Text by file name, ready to be written. */
  readonly files: Readonly<Record<'metrics.json' | 'predictions.csv' | 'report.html', string>>;
}

/**
 * Raises `table-invalid` (its form, one class only), `images-unreadable` (more than one in a hundred) and `model-unusable`.
 * Nothing is written.
 */
export async function evaluate(options: EvaluateOptions, tools: EvaluateTools): Promise<EvaluationFiles> {
  const { images, root, modelFolder, settings, software, model, machine } = options;
  const name = basename(images);
  const rows = readTable(images);
  const asked = rows.filter(({ label }) => settings.includeOther || label !== 'other');
  const labelled = asked.map(({ label }) => ({ positive: isPositive(label) }));
  requireBothClasses(labelled, name);
  const boxes = new Map(asked.map((row) => [row.file, boxesOf(row, name)]));
  const seen = readTrainingDigests(modelFolder);
  const scoring = await scoreRows(asked, {
    ...{ ...settings, ...tools, seen, atOnce: machine.readers },
    pathsOf: (row) => pathsOf(root, row, settings.dicom),
  });
  const { films, alreadySeen, unreadable } = scoring;
  requireBothClasses(
    films,
    name,
    `; left out as seen in training ${alreadySeen.length}, unreadable ${unreadable.length}`,
  );
  const evaluation: Evaluation = {
    ...{ software, model, settings, machine, scoring },
    table: { name, sha256: sha256(readFileSync(images)), rows: rows.length, otherLeftOut: rows.length - asked.length },
    evaluatedAt: new Date(tools.clock()).toISOString(),
    overlapChecked: seen !== null,
    assessment: assess(films, { ...settings, manifestPoint: settings.operatingPoint }),
    heatMaps: assessHeatMaps(films, boxes),
    shortcuts: settings.shortcuts ? await checkShortcuts(films, { ...tools, atOnce: machine.readers }) : null,
  };
  return { evaluation, files: await filesOf(evaluation, tools.examine) };
}

async function filesOf(evaluation: Evaluation, examine: Examine): Promise<EvaluationFiles['files']> {
  const { scoring, settings } = evaluation;
  const gallery = chooseGallery(scoring.films, settings.operatingPoint);
  const pictures = new Map<string, Uint8Array>();
  for (const { path } of galleryNames.flatMap((kind) => gallery[kind])) {
    const { picture } = await examine(path, { picture: true });
    if (picture) pictures.set(path, picture.jpeg);
  }
  return {
    'metrics.json': `${JSON.stringify(metricsOf(evaluation), null, 2)}\n`,
    'predictions.csv': predictionsCsv(scoring.films),
    'report.html': reportHtml(evaluation, gallery, pictures),
  };
}

/** Without both classes there is neither a curve nor a specificity. */
function requireBothClasses(films: readonly Pick<Scored, 'positive'>[], where: string, because = ''): void {
  const positives = films.filter(({ positive }) => positive).length;
  const negatives = films.length - positives;
  if (positives > 0 && negatives > 0) return;
  const expected = 'films of both classes: opacity or covid, and none';
  throw new Failure('table-invalid', {
    where,
    expected,
    got: `${positives} positive, ${negatives} negative${because}`,
  });
}

/** A row's file; under `dicom` it may be a folder that holds the films of one study. */
function pathsOf(root: string, { file }: Row, dicom: boolean): readonly string[] {
  const path = resolve(root, file);
  if (!dicom || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
