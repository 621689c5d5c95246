import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../src/core/ids.ts';
import { groupDigest, overlapOf, readTrainingDigests, trainingDigestsFile } from '../../src/science/overlap.ts';

const folder = mkdtempSync(join(tmpdir(), 'cxr-overlap-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (content: unknown) => writeFileSync(join(folder, trainingDigestsFile), JSON.stringify(content));

describe('films that the model has seen', () => {
  test('are known by their bytes and by their group, because a second film of a patient is no new patient', () => {
    write({ films: [sha256('a film')], groups: [groupDigest('4209')] });
    const seen = readTrainingDigests(folder);
    const ask = (group: string, film: string, groupsUnrelated = false) =>
      overlapOf(seen, { group, fileDigests: [sha256(film)] }, { groupsUnrelated });
    expect(ask('1', 'a film')).toBe('film');
    expect(ask('4209', 'another film')).toBe('group');
    expect(ask('1', 'another film')).toBeNull();
    expect(ask('4209', 'another film', true)).toBeNull();
    expect(ask('4209', 'a film', true)).toBe('film');
  });

  test('are not guessed at where the folder tells nothing, because absent stays absent', () => {
    rmSync(join(folder, trainingDigestsFile), { force: true });
    expect(readTrainingDigests(folder)).toBeNull();
    expect(overlapOf(null, { group: '1', fileDigests: [sha256('')] }, { groupsUnrelated: false })).toBeNull();
  });

  test('named in a file of another form are a refusal, because an overlap that is not seen is not reported', () => {
    write({ films: ['not a digest'], groups: [] });
    expect(() => readTrainingDigests(folder)).toThrow(/model-unusable.*training-digests\.json/);
  });
});
