import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createProgress } from '../../src/commands/progress.ts';
import { sha256 } from '../../src/core/ids.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { trainingDigestsFile } from '../../src/science/overlap.ts';
import { writeFilm } from '../reader/film-file.ts';
import { run } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'cxr-evaluate-command-'));
const modelId = 'resnet101-narrow-untrained';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const films = Array.from({ length: 6 }, (_, seed) => `${seed}.png`);

beforeAll(async () => {
  for (const [seed, file] of films.entries()) {
    const { columns, rows, pixels } = goldenRadiograph(seed + 1);
    const grey = Buffer.from(Uint8Array.from(pixels, (pixel) => Math.round(255 * pixel)));
    await sharp(grey, { raw: { width: columns, height: rows, channels: 1 } })
      .png()
      .toFile(join(folder, file));
  }
});

function table(name: string, files: readonly string[]): string {
  const path = join(folder, name);
  const rows = files.map((file, i) => `${file},${i % 2 === 0 ? 'opacity' : 'none'},g${i},east,PA`);
  writeFileSync(path, `${['file,label,group,source,view', ...rows].join('\n')}\n`);
  return path;
}

const evaluate = (images: string, out: string, ...more: readonly string[]) =>
  run(['evaluate', '--images', images, '--root', folder, '--out', join(folder, out), '--model', modelId, ...more]);

const metricsIn = (out: string) => JSON.parse(readFileSync(join(folder, out, 'metrics.json'), 'utf8'));
const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('.'));

describe('cxr-gateway evaluate', () => {
  test('measures the model on pictures and writes three files, with heat-maps in the report', () => {
    const ended = evaluate(table('films.csv', films), 'new/out', '--readers', '2', '--shortcuts');
    expect(ended).toMatchObject({ status: 0 });
    expect(ended.stdout).toContain('3 positive, 3 negative');
    expect(ended.stdout).toContain('UNTRAINED MODEL');
    expect(ended.stderr).toContain('6/6 images');
    expect(readdirSync(join(folder, 'new/out')).sort()).toEqual(['metrics.json', 'predictions.csv', 'report.html']);
    const metrics = metricsIn('new/out');
    expect(metrics).toMatchObject({ n_positive: 3, n_negative: 3, model: { id: modelId, training: 'untrained' } });
    expect(metrics.images_per_minute).toBeGreaterThan(0);
    expect(metrics.shortcuts.lungs_masked).toMatchObject({ n_positive: 3, n_negative: 3, n_refused: 0 });
    expect(metrics.shortcuts.lungs_masked.n_score_unmoved).toBeLessThan(6);
    expect(metrics.heat_map.lung_mass.all.n).toBe(6);
    const report = readFileSync(join(folder, 'new/out/report.html'), 'utf8');
    expect(report.match(/data:image\/jpeg;base64,\/9j/g)).toHaveLength(6);
    expect(report).toContain('UNTRAINED MODEL: score, decision and heat-map have no meaning.');
  });

  test('scores a DICOM film in its study’s folder as it scores its picture, because there is one reader', () => {
    const archive = join(folder, 'dicom');
    mkdirSync(join(archive, 'study'), { recursive: true });
    writeFilm(join(archive, 'study'), 3);
    writeFilm(archive, 4);
    const images = join(folder, 'dicom.csv');
    writeFileSync(images, 'file,label,group\ndicom/study,opacity,1\ndicom/4.dcm,none,2\n');
    expect(evaluate(images, 'dicom-out', '--dicom', '--shortcuts')).toMatchObject({ status: 0 });
    expect(metricsIn('dicom-out').shortcuts.edges_masked).toMatchObject({ auc: null, n_dicom_left_out: 2 });
    const [, first] = readFileSync(join(folder, 'dicom-out/predictions.csv'), 'utf8').split('\n');
    const png = evaluate(table('3.csv', ['2.png', '3.png']), 'png-out');
    expect(png.status).toBe(0);
    const [, asPng] = readFileSync(join(folder, 'png-out/predictions.csv'), 'utf8').split('\n');
    const score = (line: string | undefined) => Number(line?.split(',')[2]);
    // The PNG has 8 of the DICOM film's 12 bits.
    expect(Math.abs(score(first) - score(asPng))).toBeLessThan(0.02);
  });

  test('catches a planted overlap by the very bytes of a film, because that is how a figure is flattered', () => {
    const models = join(folder, 'models');
    cpSync(join('models', modelId), join(models, modelId), { recursive: true });
    const digests = { films: [sha256(readFileSync(join(folder, films[2]!)))], groups: [] };
    writeFileSync(join(models, modelId, trainingDigestsFile), JSON.stringify(digests));
    const ended = evaluate(table('overlap.csv', films), 'overlap', '--models', models);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toContain('2 positive, 3 negative; 0 unreadable, 1 left out as seen in training');
    expect(metricsIn('overlap').overlap.left_out).toEqual([{ file: '2.png', line: 4, overlap: 'film' }]);
  });

  test('leaves an earlier result alone when it fails, and nothing half-written', () => {
    const images = table('films.csv', films);
    expect(evaluate(images, 'kept').status).toBe(0);
    const before = readFileSync(join(folder, 'kept/metrics.json'), 'utf8');
    const failed = evaluate(table('missing.csv', [...films, 'nowhere.png']), 'kept');
    expect(failed.status).toBe(65);
    expect(failed.stderr).toMatch(/images-unreadable: .*Got: 1: line 8 not-dicom\./);
    expect(readFileSync(join(folder, 'kept/metrics.json'), 'utf8')).toBe(before);
    expect(leftovers()).toEqual([]);
    expect(evaluate(images, 'kept').status).toBe(0);
  });

  test.each<readonly [string, string, readonly string[], number, RegExp]>([
    ['a table without a column', 'file,label\n0.png,none\n', [], 65, /table-invalid: .*line 1.*a column group/],
    ['one class only', 'file,label,group\n0.png,none,1\n', [], 65, /table-invalid: .*both classes.*0 positive, 1 neg/],
    ['a prevalence in percent', 'file,label,group\n', ['--prevalence', '2.57'], 78, /--prevalence.*from 0 to 1.*2\.57/],
    ['no readers', 'file,label,group\n', ['--readers', '0'], 78, /--readers.*from 1 to 64/],
    ['a model that is not there', 'file,label,group\n', ['--models', '/nowhere'], 78, /model-unusable/],
    ['8-bit arithmetic that a model has not', 'file,label,group\n', ['--precision', 'int8'], 78, /int8\.json/],
    ['a graphics card for 8 bits', 'file,label,group\n', ['--precision', 'int8', '--provider', 'cuda'], 78, /int8/],
    ['an unknown provider', 'file,label,group\n', ['--provider', 'abacus'], 2, /cpu, cuda, webgpu, tensorrt/],
  ])('with %s ends with a clear word and writes nothing', (_name, text, flags, status, message) => {
    const images = join(folder, 'bad.csv');
    writeFileSync(images, text);
    const ended = evaluate(images, 'refused', ...flags);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toMatch(message);
    expect(readdirSync(folder)).not.toContain('refused');
  });

  test('a provider that cannot be used ends it, because a figure of another one would be taken for its own', () => {
    const ended = evaluate(table('films.csv', films), 'cuda', '--provider', 'cuda');
    expect([ended.status, ended.stderr]).toEqual([69, expect.stringMatching(/provider-unavailable/)]);
    expect(readdirSync(folder)).not.toContain('cuda');
  });

  test('does not replace a folder in which a person keeps other things, and says so before it reads a film', () => {
    const own = join(folder, 'own');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'thesis.txt'), 'words');
    const ended = evaluate(table('films.csv', films), 'own');
    expect([ended.status, ended.stderr]).toEqual([78, expect.stringMatching(/--out.*other entries: 1/)]);
    expect(readdirSync(own)).toEqual(['thesis.txt']);
  });
});

describe('progress', () => {
  const told = (isTTY: boolean) => {
    let text = '';
    let now = 0;
    const progress = createProgress({ isTTY, write: (part) => (text += part) }, () => now);
    for (let done = 1; done <= 100; done++, now += 1000) progress.tell(done, 100, done > 50 ? '1 unreadable' : '');
    progress.end();
    progress.end();
    return text;
  };

  test('is a bar in one line where a person watches', () => {
    const text = told(true);
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toContain('\r\u001B[K████████████░░░░░░░░░░░░ 50/100 images, 50 s left');
    expect(text.endsWith('100/100 images, 1 unreadable\n')).toBe(true);
  });

  test('of a second round reckons anew, because the first had a rate of its own', () => {
    let text = '';
    let now = 0;
    const progress = createProgress({ isTTY: false, write: (part) => (text += part) }, () => now);
    for (let done = 1; done <= 20; done++, now += 100_000) progress.tell(done, 20);
    for (let done = 1; done <= 20; done++, now += 20_000) progress.tell(done, 20);
    expect(text).toContain('11/20 images, 3 min left');
    progress.end();
  });

  test('is a line now and then in a log, because a log of ten thousand lines is read by nobody', () => {
    const lines = told(false).trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[1]).toBe('11/100 images, 89 s left');
    expect(lines.join()).not.toContain('\u001B');
  });
});
