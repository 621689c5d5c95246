import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Chosen } from '../../src/core/ports.ts';
import { type FolderStudy, scanFolder } from '../../src/dicom/folder.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { fileSelectionOptions, select } from '../../src/dicom/select.ts';
import { dicomFolder, expectedOfFiles, suiteOfFiles } from '../support/dicom-folder.ts';
import { context, rulesWith } from './film-header.ts';

const reader = { header: async (path: string) => parsePart10(readFileSync(path)).header };

function chooseAll(studies: readonly FolderStudy[], options: object): ReadonlyMap<string, Chosen['choice']> {
  const chosen = studies.flatMap(({ instances }) => select(instances, rulesWith(options), context));
  return new Map(chosen.map(({ instance, choice }) => [relative(resolve(dicomFolder), instance.key), choice]));
}

suiteOfFiles('selection over real files', () => {
  let studies: readonly FolderStudy[];
  beforeAll(async () => {
    studies = await scanFolder([dicomFolder], reader);
  }, 120_000);

  test('reads the frontal chests and refuses all others for the right reason', () => {
    const choices = chooseAll(studies, fileSelectionOptions);
    const expected = expectedOfFiles();
    const got = expected.map(({ file }) => {
      const choice = choices.get(file);
      return { file, verdict: choice?.outcome === 'eligible' ? `eligible ${choice.view}` : choice?.code };
    });
    expect(got).toEqual(expected);
    expect(got.filter(({ verdict }) => verdict?.startsWith('eligible'))).toHaveLength(17);
  });

  test('as a gateway refuses captures, old studies and lossy copies, because a site did not ask for them', () => {
    const choices = chooseAll(studies, {});
    const verdictOf = (file: string) => {
      const choice = choices.get(file);
      return choice?.outcome === 'eligible' ? choice.view : choice?.code;
    };
    expect(verdictOf('chest/gdcm-CR-MONO1-10-chest.dcm')).toBe('PA');
    expect(verdictOf('chest/rsna_850819.dcm')).toBe('not-radiograph');
    expect(verdictOf('nema-wg04/RG1/RG1_J2KI.dcm')).toBe('too-old');
    expect(verdictOf('chest-derived/mono1_jpegls_near.dcm')).toBe('duplicate-exposure');
  });

  test('gives every refusal a value that decided it, because an operator must see why', () => {
    const refused = [...chooseAll(studies, {}).values()].filter(({ outcome }) => outcome !== 'eligible');
    expect(refused.filter((choice) => choice.outcome !== 'eligible' && choice.because.join('') === '')).toEqual([]);
    expect(refused.length).toBeGreaterThan(190);
  });
});
