import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTeller } from '../../src/commands/train-head.ts';
import { Failure } from '../../src/core/failure.ts';
import { makeSmallFilm } from '../support/films.ts';
import { type Ended, run, runBeside } from './cli.ts';

/** The command on sixty drawn films and the narrow network of noise: the way is real, what is learned means nothing. */

const root = mkdtempSync(join(tmpdir(), 'cxr-train-head-'));
const table = join(root, 'films.csv');
const filmCount = 60;

beforeAll(() => {
  const rows = Array.from({ length: filmCount }, (_, i) => {
    // Denser films for one class, so that even noise sees a difference.
    writeFileSync(
      join(root, `${i}.dcm`),
      makeSmallFilm(300 + i, i % 2 ? { PhotometricInterpretation: 'MONOCHROME1' } : {}),
    );
    return `${i}.dcm,${i % 2 ? 'opacity' : 'none'},patient-${i}`;
  });
  writeFileSync(table, ['file,label,group', ...rows, ''].join('\n'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const argumentsFor = (out: string, ...more: readonly string[]) => [
  ...['train-head', '--images', table, '--root', root, '--backbone', 'resnet101-narrow-untrained'],
  ...['--id', 'site', '--out', join(root, out), '--readers', '2', ...more],
];
/** An undisturbed run with the default options, once for all tests. */
let whole: Promise<Ended> | null = null;
const wholeRun = (): Promise<Ended> => {
  whole ??= runBeside(argumentsFor('a'));
  return whole;
};
const weightsOf = (out: string) => readFileSync(join(root, out, 'site', 'weights.onnx'));

test("the flags' defaults are the paper's, because a person reads them in --help", () => {
  const { stdout } = run(['train-head', '--help']);
  const paper = { batch: '10', epochs: '8', 'learning-rate': '1e-4', split: '0.7' };
  for (const [flag, value] of Object.entries(paper))
    expect(stdout).toMatch(new RegExp(`--${flag} <\\w+>[^-]*?\\(default:\\s+"${value}"\\)`));
});

test('a model is trained that evaluate takes, and that leaves its own films out', async () => {
  const { status, stdout, stderr } = await wholeRun();
  expect([status, stderr]).toEqual([0, expect.stringMatching(/epoch 1\/8: loss .*\n(.*\n)*epoch 8\/8: loss /)]);
  expect(stdout).toMatch(/42 films trained, 18 validated; 0 unreadable/);
  const losses = [...stderr.matchAll(/^epoch \d+\/8: loss ([\d.]+)/gm)].map(([, loss]) => Number(loss));
  expect(losses.at(-1)!).toBeLessThan(losses[0]!);
  const more = [400, 401, 402, 403].map((seed, i) => {
    writeFileSync(
      join(root, `new-${i}.dcm`),
      makeSmallFilm(seed, i % 2 ? { PhotometricInterpretation: 'MONOCHROME1' } : {}),
    );
    return `new-${i}.dcm,${i % 2 ? 'opacity' : 'none'},other-${i}`;
  });
  const evaluated = join(root, 'evaluated.csv');
  writeFileSync(evaluated, `${readFileSync(table, 'utf8')}${more.join('\n')}\n`);
  const evaluation = await runBeside([
    ...['evaluate', '--images', evaluated, '--root', root, '--models', join(root, 'a'), '--model', 'site'],
    ...['--out', join(root, 'evaluation')],
  ]);
  expect([evaluation.status, evaluation.stdout]).toEqual([0, expect.stringMatching(/60 left out as seen in training/)]);
}, 180_000);

describe('a run that is broken off', () => {
  /** Starts a run and gives it the signal once some films have been taken. */
  async function breakOff(out: string, signal: NodeJS.Signals): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['src/main.ts', ...argumentsFor(out)], { stdio: 'ignore' });
    const closed = new Promise((resolve) => child.once('close', resolve));
    while (recordsIn(out) < 5 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    await closed;
    return child;
  }

  function recordsIn(out: string): number {
    const work = join(root, out, '.features');
    if (!existsSync(work)) return 0;
    return readdirSync(work, { recursive: true }).filter((name) => String(name).endsWith('.f32')).length;
  }

  test('by Ctrl-C ends with 130, by kill -9 anyhow; neither leaves a model, and both are gone on with to the same bytes', async () => {
    const ended = await breakOff('b', 'SIGINT');
    expect(ended.exitCode).toBe(130);
    const taken = recordsIn('b');
    expect([taken >= 5, taken < filmCount, readdirSync(join(root, 'b'))]).toEqual([true, true, ['.features']]);
    expect((await breakOff('c', 'SIGKILL')).signalCode).toBe('SIGKILL');
    expect(existsSync(join(root, 'c', 'site'))).toBe(false);
    await wholeRun();
    for (const out of ['b', 'c']) expect((await runBeside(argumentsFor(out))).status).toBe(0);
    expect(weightsOf('b').equals(weightsOf('a'))).toBe(true);
    expect(weightsOf('c').equals(weightsOf('a'))).toBe(true);
  }, 240_000);
});

describe('what is wrong is told in a line, with an exit code', () => {
  test.each([
    ['a number that is none', 78, /config-invalid.*--epochs/, ['--epochs', 'many']],
    ['no such backbone', 78, /model-unusable.*model\.json/, ['--backbone', 'nothing-of-that-name']],
    ['a table without a column', 65, /table-invalid.*a column label/, ['--images', 'no-label.csv']],
  ])(
    '%s',
    (_name, expected, message, more) => {
      writeFileSync(join(root, 'no-label.csv'), 'file,group\n0.dcm,a\n');
      const fixed = more.map((each) => (each.endsWith('.csv') ? join(root, each) : each));
      const { status, stderr } = run(argumentsFor('wrong', ...fixed));
      expect([status, stderr]).toEqual([expected, expect.stringMatching(message)]);
      expect(stderr).not.toMatch(/\n {4}at /);
      expect(existsSync(join(root, 'wrong'))).toBe(false);
    },
    60_000,
  );
});

describe('progress', () => {
  const fitAt = (loss: number) => ({ loss, accuracy: 0.5 });
  const epochAt = (number: number) =>
    ({
      kind: 'epoch',
      epochs: 2,
      epoch: {
        number,
        training: fitAt(0.7),
        validation: fitAt(0.6),
        batches: [],
        head: { weight: new Float64Array(), bias: new Float64Array() },
      },
    }) as const;
  const tellAll = (isTTY: boolean): string => {
    let written = '';
    const { tell, end } = createTeller({ isTTY, write: (text: string) => (written += text) }, () => 0);
    tell({ kind: 'features', done: 1, total: 2, known: 0 });
    tell({ kind: 'unreadable', file: 'b.jpg', failure: new Failure('decode-failed') });
    tell({ kind: 'features', done: 2, total: 2, known: 1 });
    for (const number of [1, 2]) tell(epochAt(number));
    end();
    return written;
  };

  test('is a bar with loss and accuracy where a person watches', () => {
    expect(tellAll(true)).toMatch(
      /█+ 2\/2 films, 1 from an earlier run\n.*█ 2\/2 epochs, loss 0\.7000, validation 0\.6000; accuracy 0\.5000/s,
    );
  });

  test('is a line for each epoch in a log, and names what cannot be read', () => {
    const lines = tellAll(false).split('\n');
    expect(lines).toContain('b.jpg: decode-failed, left out');
    expect(lines.filter((line) => line.startsWith('epoch '))).toEqual([
      'epoch 1/2: loss 0.7000, validation 0.6000; accuracy 0.5000, validation 0.5000',
      'epoch 2/2: loss 0.7000, validation 0.6000; accuracy 0.5000, validation 0.5000',
    ]);
  });
});
