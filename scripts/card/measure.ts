import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { sha256 } from '../../src/core/ids.ts';
import { evaluate } from '../../src/science/evaluate.ts';
import { writeFolder } from '../../src/science/output-folder.ts';
import { equalised } from '../../src/science/shortcuts.ts';
import { type Row, readTable } from '../../src/science/table.ts';
import { version } from '../../src/version.ts';
import type { Examiner } from '../../src/wire.ts';
import { agreementWith, judgedArea, judges } from './agreement.ts';
import { modelFacts } from './documents.ts';
import { failedFilms, showFailures, told } from './failures.ts';
import { type Figures, figuresSchema, refuseIdentifiers, rounded, type SetFigures, setFigures } from './figures.ts';
import { type FilmSet, type SetName, setsOf, tableText } from './sets.ts';

/** Makes the figures of a card: each set is evaluated once for a model, and kept outside the repository. */

export interface MeasureOptions {
  /** Folder that holds `radiographs.csv` and the files that it names. */
  readonly data: string;
  /** Where evaluations and failures are kept: patient data, where the films are. */
  readonly work: string;
  /** Nothing of an earlier run is used. */
  readonly fresh: boolean;
  readonly readers: number;
  readonly examiner: Examiner;
  readonly progress: (done: number, total: number, note: string) => void;
  readonly say: (line: string) => void;
}

export async function measure(options: MeasureOptions): Promise<Figures> {
  const { data, work, examiner, say } = options;
  const rows = readTable(join(data, 'radiographs.csv'));
  const sets: Partial<Record<SetName, SetFigures>> = {};
  let adult: { readonly rows: readonly Row[]; readonly scores: ReadonlyMap<string, number> } | null = null;
  for (const set of setsOf(rows)) {
    const folder = await evaluated(set, options);
    sets[set.name] = setFigures(JSON.parse(readFileSync(join(folder, 'metrics.json'), 'utf8')));
    if (set.name === 'adult') adult = { rows: set.rows, scores: scoresIn(folder) };
  }
  const { rows: held, scores } = adult!;
  const failed = failedFilms(held, scores, examiner.model.manifest.operatingPoint);
  await showFailures(failed, data, join(work, 'failures'), examiner.examine);
  say(`${failed.length} failures to look at: ${join(work, 'failures')}`);
  const judged = judges.map((judge) => [
    judge.name,
    { ...agreementWith(judge, rows), model: judgedArea(judge, held, scores) },
  ]);
  const figures = figuresSchema.parse({
    ...{ model: modelFacts(examiner.model), sets, failures: failed.map(told) },
    judged: Object.fromEntries(judged),
  });
  refuseIdentifiers(figures, rows);
  return rounded(figures);
}

/** The folder of a set's evaluation: an earlier one of the same model, films and settings, or a new one. */
async function evaluated(set: FilmSet, options: MeasureOptions): Promise<string> {
  const { work, fresh, examiner, say } = options;
  const text = tableText(set.rows);
  const facts = modelFacts(examiner.model);
  const how = [set.shortcuts && equalised, examiner.model.manifest.heat.max];
  const key = sha256(JSON.stringify([facts, version(), text, how])).slice(0, 12);
  const folder = join(work, `${set.name}-${key}`);
  if (!fresh && existsSync(join(folder, 'metrics.json'))) {
    say(`${set.name}: measured before, ${folder}`);
    return folder;
  }
  const table = join(work, `${set.name}.csv`);
  mkdirSync(work, { recursive: true });
  writeFileSync(table, text);
  say(`${set.name}: ${set.rows.length} films`);
  const { files } = await evaluate(evaluateOptions(set, table, options), {
    ...{ examine: examiner.examine, progress: options.progress, now: () => performance.now(), clock: Date.now },
  });
  writeFolder(folder, files);
  return folder;
}

/** The paper's prevalence and specificity, and its radiologist. */
const paper = { prevalence: 0.0257, targetSpecificity: 0.718, radiologistRate: 1.75 };

function evaluateOptions(
  { shortcuts }: FilmSet,
  images: string,
  { data: root, examiner: { model }, readers }: MeasureOptions,
) {
  const choices = { includeOther: false, groupsUnrelated: false, dicom: false, shortcuts };
  return {
    ...{ images, root, modelFolder: model.folder, model: model.identity, software: version() },
    settings: { ...paper, ...choices, operatingPoint: model.manifest.operatingPoint },
    machine: {
      ...{ processor: cpus()[0]?.model.trim() ?? 'an unknown processor', cores: availableParallelism() },
      ...({ readers, threads: 1, provider: 'cpu', precision: 'float32' } as const),
    },
  };
}

function scoresIn(folder: string): ReadonlyMap<string, number> {
  const text = readFileSync(join(folder, 'predictions.csv'), 'utf8');
  const records = parse(text, { columns: true }) as readonly { readonly file: string; readonly score: string }[];
  return new Map(records.map(({ file, score }) => [file, Number(score)]));
}
