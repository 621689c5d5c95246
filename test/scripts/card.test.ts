import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { agreementWith, cohensKappa, fewestJudged, judgedArea, judges } from '../../scripts/card/agreement.ts';
import { checksSection } from '../../scripts/card/checks.ts';
import { failedFilms } from '../../scripts/card/failures.ts';
import { refuseIdentifiers, setFigures } from '../../scripts/card/figures.ts';
import { goalsOf, parity } from '../../scripts/card/goals.ts';
import { byChance } from '../../scripts/card/measured-sections.ts';
import { partOf } from '../../scripts/card/partition.ts';
import { setsOf, tableText } from '../../scripts/card/sets.ts';
import { parseTable, readTable } from '../../src/science/table.ts';
import { testWithPython } from '../model/python.ts';
import { groupIn, madeRows, tableOf } from './card-data.ts';
import { checkedFigures, madeFigures } from './card-figures.ts';

const realTable = '../shared/data/radiographs.csv';
const rows = parseTable(tableOf(madeRows()), 'made-up');
const [google, rsna] = judges as [(typeof judges)[0], (typeof judges)[0]];

/** The parts that the recipe gives to groups; its rule needs no package. */
function partsByRecipe(groups: readonly string[]): readonly string[] {
  const interpreter = process.env['CXR_TEST_PYTHON'] ?? resolve('test/services/.cache/venv/bin/python');
  const program =
    'import json, sys, split; print(json.dumps([split.part_of(group) for group in json.load(sys.stdin)]))';
  const answer = execFileSync(interpreter, ['-B', '-c', program], {
    ...{ cwd: 'models/recipe', encoding: 'utf8', input: JSON.stringify(groups), maxBuffer: 64 * 1024 * 1024 },
  });
  return JSON.parse(answer) as readonly string[];
}

describe('which films a card tells of', () => {
  testWithPython('a group is in the part that the recipe gives it, because a film that trained would flatter', () => {
    const real = existsSync(realTable) ? readTable(realTable).map(({ group }) => group) : [];
    if (process.env['CI']) expect(real).not.toHaveLength(0);
    if (real.length === 0) console.warn(`no ${realTable}: the rule is held equal on invented groups alone`);
    const groups = [...new Set([...real, ...Array.from({ length: 2000 }, (_, i) => `Gruppe ${i} ä`)])];
    expect(groups.map(partOf)).toEqual(partsByRecipe(groups));
  });

  test('only held-out patients, each label of its set, and no folder that somebody adds later', () => {
    const files = Object.fromEntries(setsOf(rows).map(({ name, rows: of }) => [name, of.map(({ file }) => file)]));
    const made = madeRows().map(({ file }) => file);
    expect(files['adult']).toEqual(made.slice(0, 8));
    expect(files['children']).toEqual(made.slice(8, 12));
    expect(new Set(files['cross-source'])).toEqual(new Set(made.slice(15, 19)));
  });

  test('a set is written as a table with every column, because other figures need boxes and ages', () => {
    const [adult] = setsOf(rows);
    const again = parseTable(tableText(adult!.rows), 'again');
    expect(again.map(({ cells }) => cells)).toEqual(adult!.rows.map(({ cells }) => cells));
    expect(again[0]!.cells['licence']).toBe('free, cite');
  });
});

describe('labels of reports against labels of radiologists', () => {
  test('are counted on adult films of every part; a label of `other` is neither', () => {
    const { n, crossed, share } = agreementWith(rsna, rows);
    expect([n, crossed]).toEqual([4, { bothOpacity: 1, textOnly: 1, judgedOnly: 0, bothNone: 2 }]);
    expect(share.value).toBe(0.75);
    expect(agreementWith(google, rows).n).toBe(4);
  });

  test('kappa is 0 for chance, 1 for agreement, and has a known value between', () => {
    const kappa = (bothOpacity: number, textOnly: number, judgedOnly: number, bothNone: number) =>
      cohensKappa({ bothOpacity, textOnly, judgedOnly, bothNone }).value;
    expect(kappa(25, 25, 25, 25)).toBeCloseTo(0, 12);
    expect(kappa(30, 0, 0, 20)).toBeCloseTo(1, 12);
    expect(kappa(20, 5, 10, 15)).toBeCloseTo(0.4, 12);
    expect(kappa(9, 0, 0, 0)).toBeNull();
    expect(kappa(0, 0, 0, 0)).toBeNull();
  });

  test('the interval of kappa has the width that leaving out each film in turn gives', () => {
    const counts = { bothOpacity: 280, textOnly: 160, judgedOnly: 30, bothNone: 320 };
    const { value, ci95 } = cohensKappa(counts);
    const n = Object.values(counts).reduce((sum, each) => sum + each, 0);
    let spread = 0;
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) {
      const without = cohensKappa({ ...counts, [key]: counts[key] - 1 }).value!;
      spread += counts[key] * (without - value!) ** 2;
    }
    const jackknife = Math.sqrt(((n - 1) / n) * spread);
    expect((ci95![1] - ci95![0]) / 2 / 1.96).toBeCloseTo(jackknife, 4);
  });

  test('the model is set against radiologists on held-out films, and not where there are only a few', () => {
    const made = (count: number) =>
      parseTable(
        tableOf(
          Array.from({ length: 2 * count }, (_, i) => ({
            ...madeRows()[0]!,
            ...{
              file: `radiographs/nih/x/${i}.jpg`,
              group: groupIn('check', i),
              rsna: i < count ? 'Lung Opacity' : 'Normal',
            },
          })),
        ),
        'judged',
      );
    const scores = (of: readonly { readonly file: string }[]) => new Map(of.map(({ file }, i) => [file, 1 - i / 100]));
    const [enough, few] = [made(fewestJudged), made(fewestJudged - 1)];
    expect(judgedArea(rsna, enough, scores(enough))).toMatchObject({
      positives: 10,
      negatives: 10,
      area: { value: 1 },
    });
    expect(judgedArea(rsna, few, scores(few))).toMatchObject({ positives: 9, negatives: 9, area: { value: null } });
    const training = enough.map((row) => ({ ...row, group: groupIn('train', 0) }));
    expect(judgedArea(rsna, training, scores(training))).toMatchObject({ positives: 0, negatives: 0 });
  });
});

describe('figures', () => {
  test('name no film, no patient and no group, because they are for the public', () => {
    const figures = madeFigures();
    expect(() => refuseIdentifiers(figures, rows)).not.toThrow();
    const plant = (findings: string) => ({ ...figures, failures: [{ ...figures.failures[0]!, findings }] });
    const { file, group } = rows[0]!;
    for (const text of [file, file.replace(/.*\//, '').replace('.jpg', ''), group, 'x/12.jpeg'])
      expect(() => refuseIdentifiers(plant(text), rows)).toThrow(/figures.json.*no file name.*1 of them/);
  });

  test('of lists of films only their lengths are kept', () => {
    const { model_sha256: sha256, left_out_as_seen: _, ...rest } = madeFigures().sets.adult;
    const metrics = {
      ...{ ...rest, model: { sha256 }, unreadable: [{ file: 'a.jpg', line: 2 }] },
      overlap: { left_out: [{ file: 'b.jpg' }, { file: 'c.jpg' }] },
      roc: [{ threshold: 0.1 }],
    };
    const kept = setFigures(metrics);
    expect(kept).toMatchObject({ unreadable: 1, left_out_as_seen: 2, model_sha256: sha256, auc: rest.auc });
    expect(JSON.stringify(kept)).not.toMatch(/jpg|roc/);
  });

  test('the calibration error of true probabilities is what drawing them gives', () => {
    const bins = [
      { low: 0, high: 0.5, n: 80, mean_score: 0.3, share_of_positives: 0.3 },
      { low: 0.5, high: 1, n: 40, mean_score: 0.8, share_of_positives: 0.8 },
    ];
    let state = 1;
    const draw = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    let sum = 0;
    const times = 4000;
    for (let i = 0; i < times; i++)
      for (const { n, mean_score: p } of bins) {
        let positives = 0;
        for (let film = 0; film < n; film++) positives += Number(draw() < p);
        sum += ((n / 120) * Math.abs(positives / n - p)) / times;
      }
    expect(byChance({ calibration: bins })).toBeCloseTo(sum, 2);
    expect(byChance({ calibration: [] })).toBe(0);
  });

  test('failures are the films of which the model is surest and wrong, surest first', () => {
    const adult = setsOf(rows)[0]!.rows;
    const scores = new Map(adult.map(({ file, label }, i) => [file, label === 'none' ? 0.4 + i / 20 : 0.9 - i / 10]));
    const found = failedFilms(adult, scores, 0.5).map(({ kind, rank, score }) => [
      kind,
      rank,
      Number(score.toFixed(2)),
    ]);
    expect(found).toEqual([
      ['false positive', 1, 0.75],
      ['false positive', 2, 0.65],
      ['false positive', 3, 0.55],
      ['false negative', 1, 0.3],
    ]);
  });
});

describe('goals', () => {
  const reached = (change: Parameters<typeof madeFigures>[0]) =>
    goalsOf({ figures: madeFigures(change) }).map((goal) => goal.reached);

  test('a figure at its limit reaches the goal, one below it does not', () => {
    const atLimits = reached({ auc: 0.85, sensitivity: 0.773, specificity: 0.718, ece: 0.05 });
    expect([atLimits.slice(0, 6), atLimits.slice(6)]).toEqual([Array(6).fill(true), Array(3).fill(null)]);
    expect(reached({ auc: 0.8499, sensitivity: 0.773, specificity: 0.718, ece: 0.05 })[0]).toBe(false);
    expect(reached({ auc: 0.85, sensitivity: 0.7729, specificity: 0.718, ece: 0.05 })[1]).toBe(false);
    expect(reached({ auc: 0.85, sensitivity: 0.773, specificity: 0.7179, ece: 0.05 })[1]).toBe(false);
    expect(reached({ auc: 0.85, sensitivity: 0.773, specificity: 0.718, ece: 0.0501 })).toContain(false);
  });

  test('a network that reads opacities without lungs, or looks elsewhere, has not reached its goals', () => {
    const last = (auc: number, mass: number) =>
      goalsOf({ figures: checkedFigures(auc, mass) })
        .slice(6)
        .map((goal) => goal.reached);
    expect(last(0.6, 0.8)).toEqual([true, true, true]);
    expect(last(0.601, 0.8)).toEqual([false, false, true]);
    expect(last(0.6, 0.799)).toEqual([true, true, false]);
  });

  test('whether shortcuts were looked for is told, because a missing figure is no good one', () => {
    expect(checksSection({ figures: madeFigures() })).toMatch(/Shortcuts were not looked for.*[\s\S]*was not measured/);
    const text = checksSection({ figures: checkedFigures(0.55, 0.83) });
    expect(text).toContain('| adults | lungs masked | 0.550 (no interval) | −0.350 |');
    expect(text).toContain('| called positive | 6 | 83.0 % (60.0 % to 90.0 %) | 85.0 % | 96.6 % | 61.0 % | 52.0 % |');
    expect(text).toMatch(/50\.0 % \(20\.0 % to 80\.0 %\) of 8 films.*[\s\S]*would on 20\.0 %/);
  });

  test('what was not measured is not known, and is never reached', () => {
    const figures = madeFigures();
    const blind = { ...figures, sets: { ...figures.sets, adult: { ...figures.sets.adult, by_view: {} } } };
    expect(goalsOf({ figures: blind }).filter(({ got }) => got === 'not measured')).toHaveLength(5);
  });

  test('parity with the paper is claimed by no sentence unless an acceptance set gave it to these very weights', () => {
    const set = {
      films: 'films of others',
      n_positive: 154,
      n_negative: 5828,
      auc_ci95: null,
      weights_sha256: 'a',
    } as const;
    const refusal = /^This card does not claim parity with the paper/;
    expect(parity(null, 'a')).toMatch(refusal);
    expect(parity({ ...set, auc: 0.8199 }, 'a')).toMatch(refusal);
    expect(parity({ ...set, auc: 0.99 }, 'b')).toMatch(refusal);
    expect(parity({ ...set, auc: 0.82 }, 'a')).toMatch(/^The acceptance set gave AUC 0\.820.*not below/);
  });
});
