import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { heatMapSchema, shortcutsSchema } from '../../scripts/card/checks.ts';
import type { Examine } from '../../src/core/examination.ts';
import { Failure, type FailureCode } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import { wholeFilm } from '../../src/core/lungs.ts';
import type { ModelIdentity } from '../../src/core/reading.ts';
import { evaluate } from '../../src/science/evaluate.ts';
import type { EvaluationSettings } from '../../src/science/evaluation.ts';
import { groupDigest, trainingDigestsFile } from '../../src/science/overlap.ts';
import { changeNames } from '../../src/science/shortcuts.ts';

const root = mkdtempSync(join(tmpdir(), 'cxr-evaluate-'));
const modelFolder = join(root, 'model');
mkdirSync(modelFolder);
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => rmSync(join(modelFolder, trainingDigestsFile), { force: true }));

const model: ModelIdentity = {
  ...{ id: 'm', manufacturer: 'maker', name: 'Model', version: '1', sha256: 'a'.repeat(64), deviceUid: '2.25.1' },
  ...{ precision: 'float32', training: 'trained', preprocessing: 'none', intendedUse: 'tests' },
};
const defaults: EvaluationSettings = {
  ...{ prevalence: 0.0257, targetSpecificity: 0.718, radiologistRate: 1.75, operatingPoint: 0.5 },
  ...{ includeOther: false, groupsUnrelated: false, dicom: false, shortcuts: false },
};

interface Drawn {
  readonly file: string;
  readonly label: string;
  readonly group: string;
  readonly source: string;
  readonly score: number | FailureCode;
  readonly header?: { ViewPosition: string | null; Manufacturer: string; ManufacturerModelName: string };
}

/** Positives score from 0.45 up, negatives from 0.05: some are wrong at 0.5, the classes overlap. */
const drawn = (count: number): Drawn[] =>
  Array.from({ length: count }, (_, i) => ({
    file: `film-${i}.jpg`,
    label: i % 3 === 0 ? (i % 2 === 0 ? 'opacity' : 'covid') : 'none',
    group: String(i),
    source: i % 2 === 0 ? 'east' : 'west',
    score: i % 3 === 0 ? 0.45 + (i % 10) / 20 : 0.05 + (i % 11) / 20,
  }));

/** A reader that knows the films by name: what the real one gives, without its time. */
function readerOf(films: readonly Drawn[]): Examine {
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
  return async (path, { picture = false } = {}) => {
    const film = films.find(({ file }) => basename(file) === basename(path));
    if (!film) throw new Failure('not-dicom', { where: 'file' });
    if (typeof film.score === 'string') throw new Failure(film.score);
    return {
      score: film.score,
      features: new Float32Array(4),
      map: { columns: 1, rows: 1, values: [0] },
      window: wholeFilm,
      fileDigest: sha256(film.file),
      header: film.header ?? null,
      picture: picture ? { columns: 1, rows: 1, rgb: new Uint8Array(3), jpeg } : null,
    };
  };
}

async function run(films: readonly Drawn[], settings: Partial<EvaluationSettings> = {}, examine = readerOf(films)) {
  const images = join(root, 'films.csv');
  const lines = films.map(
    ({ file, label, group, source }) => `"${file.replaceAll('"', '""')}",${label},${group},${source}`,
  );
  writeFileSync(images, `file,label,group,source\n${lines.join('\n')}\n`);
  const told: string[] = [];
  let now = 0;
  const { files, evaluation } = await evaluate(
    {
      ...{ images, root, modelFolder, model, software: '0.0.0', settings: { ...defaults, ...settings } },
      machine: { processor: 'drawn', cores: 2, readers: 2, threads: 1, provider: 'cpu', precision: 'float32' },
    },
    {
      examine,
      progress: (done, total, note) => told.push(`${done}/${total} ${note}`),
      now: () => (now += 1000),
      clock: () => 0,
    },
  );
  return { evaluation, metrics: JSON.parse(files['metrics.json']), files, told };
}

describe('an evaluation', () => {
  test('tells where the maps lie and, where it is asked for, what masks change, as the card reads it', async () => {
    const films = drawn(60);
    const { metrics } = await run(films);
    expect(heatMapSchema.parse(metrics.heat_map)).toMatchObject({ lung_mass: { all: { n: 0 } }, pointing: null });
    expect(metrics).not.toHaveProperty('shortcuts');
    for (const { file } of films) writeFileSync(join(root, file), 'no picture: these films are known by name');
    const asked = await run(films, { shortcuts: true });
    const shortcuts = shortcutsSchema.parse(asked.metrics.shortcuts);
    expect(Object.keys(shortcuts)).toEqual([...changeNames]);
    expect(asked.metrics.shortcuts.lungs_masked).toMatchObject({ auc: null, n_dicom_left_out: 60 });
    expect(asked.files['report.html']).toContain('60 DICOM films were left out');
  });

  test('plays the pointing game where the table has boxes, and refuses a box that it cannot read', async () => {
    const images = join(root, 'boxes.csv');
    const table = (box: string) =>
      writeFileSync(
        images,
        `file,label,group,box
film-0.jpg,opacity,1,"${box}"
film-1.jpg,none,2,
`,
      );
    const peak = { columns: 7, rows: 7, values: Array.from({ length: 49 }, (_, cell) => (cell === 15 ? 2 : 0)) };
    const examine: Examine = async (path) => ({ ...(await readerOf(drawn(2))(path)), map: peak });
    const options = { images, root, modelFolder, model, software: '0.0.0', settings: defaults };
    const machine = {
      processor: 'drawn',
      cores: 2,
      readers: 1,
      threads: 1,
      provider: 'cpu',
      precision: 'float32',
    } as const;
    const tools = { examine, progress: () => {}, now: () => 0, clock: () => 0 };
    table('Pneumonia:100;250;200;200');
    const { evaluation } = await evaluate({ ...options, machine }, tools);
    expect(evaluation.heatMaps.pointing).toMatchObject({ n: 1, hit: { value: 1 } });
    table('100,250,200,200');
    const untouched: Examine = async () => {
      throw new Error('a film was read');
    };
    const refused = evaluate({ ...options, machine }, { ...tools, examine: untouched });
    await expect(refused).rejects.toThrow(/table-invalid.*line 2, column box/);
  });

  test('tells at least the figures that were agreed on, because scripts read them', async () => {
    const { metrics } = await run(drawn(60));
    const agreed = ['auc', 'auc_ci95', 'sensitivity', 'specificity', 'accuracy', 'ece', 'n_positive', 'n_negative'];
    for (const key of [...agreed, 'images_per_minute', 'model_efficiency', 'by_source'])
      expect(metrics).toHaveProperty(key);
    expect([metrics.n_positive, metrics.n_negative]).toEqual([20, 40]);
    expect(metrics.images_per_minute).toBe(60 * 60);
    expect(metrics.model_efficiency).toBeCloseTo(3600 / 1.75, 9);
    expect(Object.keys(metrics.by_source).sort()).toEqual(['east', 'west']);
    expect(metrics.at_prevalence.prevalence).toBe(0.0257);
    expect(metrics.operating_points.map(({ name }: { name: string }) => name)).toContain('half');
  });

  test('gives a prediction for each film under the name that the table has for it, because others join on it', async () => {
    const films = [...drawn(12), { ...drawn(1)[0]!, file: 'a, "b".jpg', group: 'x' }];
    const { files } = await run(films);
    const lines = files['predictions.csv'].trimEnd().split('\n');
    expect(lines[0]).toBe('file,label,score,decision');
    expect(lines[1]).toBe('film-0.jpg,opacity,0.45,absent');
    expect(lines.at(-1)).toBe('"a, ""b"".jpg",opacity,0.45,absent');
    expect(lines).toHaveLength(14);
  });

  test('leaves out what the model has seen, by film or by group, and names it, because that would flatter', async () => {
    const seen = { films: [sha256('film-3.jpg')], groups: [groupDigest('4')] };
    writeFileSync(join(modelFolder, trainingDigestsFile), JSON.stringify(seen));
    const { metrics, files } = await run(drawn(60));
    expect(metrics.overlap).toEqual({
      checked: true,
      groups_compared: true,
      left_out: [
        { file: 'film-3.jpg', line: 5, overlap: 'film' },
        { file: 'film-4.jpg', line: 6, overlap: 'group' },
      ],
    });
    expect(metrics.n_positive + metrics.n_negative).toBe(58);
    expect(files['predictions.csv']).not.toMatch(/film-[34]\.jpg/);
    expect(files['report.html']).toContain('seen in training: the same group');
    const unrelated = await run(drawn(60), { groupsUnrelated: true });
    expect(unrelated.metrics.overlap.left_out).toHaveLength(1);
    expect(unrelated.metrics.cautions.join()).toContain('Groups were not compared');
  });

  test('that could not look for overlap says so, because silence would read as none', async () => {
    const { metrics } = await run(drawn(60));
    expect(metrics.overlap.checked).toBe(false);
    expect(metrics.cautions.join()).toContain('overlap could not be looked for');
  });

  test('names and counts unreadable images and goes on, because one bad file in a hundred is a hospital’s everyday', async () => {
    const films = drawn(100).map((film, i) => (i === 7 ? { ...film, score: 'truncated' as const } : film));
    const { metrics, files, told } = await run(films);
    expect(metrics.unreadable).toEqual([{ file: 'film-7.jpg', line: 9, code: 'truncated' }]);
    expect(files['predictions.csv']).not.toContain('film-7.jpg');
    expect(files['report.html']).toContain('unreadable: truncated');
    expect(told.at(-1)).toBe('100/100 1 unreadable');
  });

  test('ends where more than one in a hundred is unreadable, because the figures would be of another table', async () => {
    const films = drawn(100).map((film, i) => (i === 7 || i === 8 ? { ...film, score: 'truncated' as const } : film));
    const failure = await run(films).catch((thrown: Failure) => thrown);
    expect(failure).toMatchObject({ code: 'images-unreadable' });
    expect((failure as Failure).message).toMatch(/line 9 truncated, line 10 truncated/);
  });

  test('ends with the model’s own fault at once, because that is no fault of a film', async () => {
    const broken: Examine = async () => {
      throw new Failure('model-unusable', { where: 'golden.json' });
    };
    await expect(run(drawn(100), {}, broken)).rejects.toMatchObject({ code: 'model-unusable' });
  });

  test('of one class is a clear refusal before any film is read, because there is no curve', async () => {
    const none = drawn(30).map((film) => ({ ...film, label: 'none' }));
    const untouched: Examine = async () => {
      throw new Error('a film was read');
    };
    await expect(run(none, {}, untouched)).rejects.toThrow(/table-invalid.*both classes.*0 positive, 30 negative/);
  });

  test('of which the model has seen a whole class is refused too, and says why', async () => {
    const films = drawn(30);
    const seen = { films: films.filter(({ label }) => label !== 'none').map(({ file }) => sha256(file)), groups: [] };
    writeFileSync(join(modelFolder, trainingDigestsFile), JSON.stringify(seen));
    await expect(run(films)).rejects.toThrow(/0 positive, 20 negative; left out as seen in training 10/);
  });

  test('counts `other` only where it is asked for, and then as negative, because it is no opacity', async () => {
    const films = [...drawn(30), { file: 'o.jpg', label: 'other', group: 'o', source: 'east', score: 0.9 }];
    const without = (await run(films)).metrics;
    expect([without.n_negative, without.table.other_left_out]).toEqual([20, 1]);
    const { metrics, files } = await run(films, { includeOther: true });
    expect([metrics.n_negative, metrics.table.other_left_out]).toEqual([21, 0]);
    expect(files['predictions.csv']).toContain('o.jpg,other,0.9,present');
  });

  test('warns where each source has one class, because the source may be what was learned', async () => {
    const films = drawn(60).map((film) => ({ ...film, source: film.label === 'none' ? 'east' : 'west' }));
    expect((await run(films)).metrics.cautions.join()).toContain('No source has films of both classes');
    expect((await run(drawn(60))).metrics.cautions.join()).not.toContain('No source');
  });
});

describe('an evaluation of DICOM', () => {
  const header = (ViewPosition: string | null) => ({ ViewPosition, Manufacturer: 'ACME', ManufacturerModelName: 'X1' });
  const study = join(root, 'study-0');
  mkdirSync(study);
  for (const name of ['ap.dcm', 'pa.dcm', 'pb.dcm', 'lateral.dcm', 'report.dcm']) writeFileSync(join(study, name), '');
  const others = drawn(40)
    .slice(1)
    .map((film) => ({ ...film, header: header('AP') }));
  const table = [{ file: 'study-0', label: 'opacity', group: '0', source: 'east', score: 0.1 }, ...others];
  const known: Drawn[] = [
    ...others,
    { ...table[0]!, file: 'ap.dcm', score: 0.2, header: header('AP') },
    { ...table[0]!, file: 'pa.dcm', score: 0.7, header: header('PA') },
    { ...table[0]!, file: 'pb.dcm', score: 0.3, header: header('AP') },
    { ...table[0]!, file: 'lateral.dcm', score: 0.99, header: header('LL') },
    { ...table[0]!, file: 'report.dcm', score: 'no-pixels' as FailureCode },
  ];

  test('takes the highest frontal film of a study, as the gateway does, and tells view and device from headers', async () => {
    const { metrics, files } = await run(table, { dicom: true }, readerOf(known));
    expect(files['predictions.csv']).toContain('study-0,opacity,0.7,present');
    expect(metrics.by_view).toMatchObject({ PA: { n_positive: 1 }, AP: { n_negative: 26 } });
    expect(Object.keys(metrics.by_device)).toEqual(['ACME X1']);
    expect(files['report.html']).toContain('By device');
  });

  test('does not count a JPEG, because its table would mix two archives', async () => {
    const jpegs = known.map(({ header: _, ...film }) => film);
    await expect(run(table, { dicom: true }, readerOf(jpegs))).rejects.toMatchObject({ code: 'images-unreadable' });
  });
});
