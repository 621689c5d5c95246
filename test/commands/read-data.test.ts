import { relative, resolve } from 'node:path';
import { dicomFolder, expectedOfFiles, suiteOfFiles } from '../support/dicom-folder.ts';
import { run } from './cli.ts';

/** `read` as a person calls it, over every file of many origins at once: decoded, scored, or refused for the right reason. */

interface Line {
  readonly file: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly view: string | null;
  readonly score: number | null;
  readonly decision: string | null;
}

suiteOfFiles('read over real files', () => {
  test('gives a line for each, no crash, no hang, and the reason that the table says', () => {
    const { status, stdout, stderr } = run(['read', dicomFolder, '--json', '--model', 'resnet101-narrow-untrained']);
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const found = new Map(lines.map((line) => [relative(resolve(dicomFolder), line.file), line]));
    expect(found.size).toBe(lines.length);
    const expected = expectedOfFiles();
    const got = expected.map(({ file }) => {
      const line = found.get(file);
      return { file, verdict: line?.outcome === 'reported' ? `eligible ${line.view}` : line?.reason };
    });
    expect(got).toEqual(expected);
    expect([...found.keys()].filter((file) => !expected.some((one) => one.file === file))).toEqual(['index.csv']);
    const scores = lines.filter(({ outcome }) => outcome === 'reported').map(({ score }) => score);
    expect(scores.every((score) => score !== null && score >= 0 && score <= 1)).toBe(true);
  }, 240_000);
});
