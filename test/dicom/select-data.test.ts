import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Chosen } from '../../src/core/ports.ts';
import { type FolderStudy, scanFolder } from '../../src/dicom/folder.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { fileSelectionOptions, select } from '../../src/dicom/select.ts';
import { context, rulesWith } from './film-header.ts';

/** Real and broken files of many origins, looked for beside the project; see its index.csv for what each is. */
const folder = '../shared/data/dicom';
const available = existsSync(`${folder}/index.csv`);
if (!available) console.warn(`Skipped: selection over real files, because ${folder} is not there.`);
const suite = available || process.env['CI'] ? describe : describe.skip;

/** What a file's role says must come of it. */
const byRole: Readonly<Record<string, string>> = {
  'chest-frontal': 'eligible',
  'chest-frontal (derived)': 'eligible',
  'CR-not-chest': 'not-chest',
  'CR/DX-not-chest': 'not-radiograph',
  'other-modality': 'not-radiograph',
  'odd-or-other': 'not-radiograph',
  'bad: HTML with a .dcm name': 'not-dicom',
};

/** Odd files that are stopped by something else than their modality. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  'not-chest': ['pydicom-data/RG3_J2KR.dcm'],
  'too-small': [
    'pydicom/charset_files/chrJapMulti.dcm',
    'pydicom/charset_files/chrJapMultiExplicitIR6.dcm',
    'pydicom/test_files/dicomdirtests/77654033/CR1/6154',
    'pydicom/test_files/dicomdirtests/77654033/CR2/6247',
    'pydicom/test_files/dicomdirtests/77654033/CR3/6278',
  ],
  'not-dicom': [
    'orthanc-misc/HelloWorld.pdf',
    'pydicom/test_files/dicomdirtests/TINY_ALPHA/README',
    'pydicom/test_files/rtplan.dump',
    'pydicom/test_files/rtstruct.dump',
  ],
  truncated: [
    'fo-dicom/GH626.dcm',
    'pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm',
    'pydicom/test_files/dicomdirtests/DICOMDIR-nooffset',
    'pydicom/test_files/rtplan_truncated.dcm',
  ],
  'malformed-dicom': [
    'dcm4che/DICOMDIR',
    'fo-dicom/GH223.dcm',
    'fo-dicom/GH340.dcm',
    'fo-dicom/GH364.dcm',
    'fo-dicom/GH487.dcm',
    'orthanc-misc/Issue195.dcm',
    'orthanc-misc/Issue196.dcm',
    'pydicom-data/JLSL_08_07_0_1F.dcm',
    'pydicom-data/JLSL_RGB_ILV1.dcm',
    'pydicom-data/JLSN_RGB_ILV0.dcm',
    'pydicom/charset_files/chrSQEncoding.dcm',
    'pydicom/charset_files/chrSQEncoding1.dcm',
    'pydicom/test_files/JPEGLSNearLossless_08.dcm',
    'pydicom/test_files/JPEGLSNearLossless_16.dcm',
    'pydicom/test_files/UN_sequence.dcm',
    'pydicom/test_files/dicomdirtests/DICOMDIR',
    'pydicom/test_files/dicomdirtests/DICOMDIR-bigEnd',
    'pydicom/test_files/dicomdirtests/DICOMDIR-nopatient',
    'pydicom/test_files/dicomdirtests/DICOMDIR-reordered',
    'pydicom/test_files/nested_priv_SQ.dcm',
    'pydicom/test_files/no_meta_group_length.dcm',
  ],
};

const exceptionOf = (file: string): string | undefined =>
  Object.keys(exceptions).find((code) => exceptions[code]?.includes(file));

interface Row {
  readonly file: string;
  readonly role: string;
  readonly view: string;
}

/** The quoted column of index.csv comes after the ones that are read here. */
function readIndex(): readonly Row[] {
  const [, ...lines] = readFileSync(`${folder}/index.csv`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [file = '', , role = '', , , , view = ''] = line.split(',');
    return { file, role, view };
  });
}

const reader = { header: async (path: string) => parsePart10(readFileSync(path)).header };

function chooseAll(studies: readonly FolderStudy[], options: object): ReadonlyMap<string, Chosen['choice']> {
  const chosen = studies.flatMap(({ instances }) => select(instances, rulesWith(options), context));
  return new Map(chosen.map(({ instance, choice }) => [relative(resolve(folder), instance.key), choice]));
}

suite('selection over real files', () => {
  let studies: readonly FolderStudy[];
  beforeAll(async () => {
    studies = await scanFolder([folder], reader);
  }, 120_000);

  test('reads the frontal chests and refuses all others for the right reason', () => {
    const choices = chooseAll(studies, fileSelectionOptions);
    const found = readIndex().map(({ file, role, view }) => {
      const choice = choices.get(file);
      return { file, got: choice?.outcome === 'eligible' ? `eligible ${choice.view}` : choice?.code, role, view };
    });
    const wrong = found.filter(({ file, got, role, view }) => {
      const expected = exceptionOf(file) ?? byRole[role];
      return got !== (expected === 'eligible' ? `eligible ${view}` : expected);
    });
    expect(wrong).toEqual([]);
    expect(found.filter(({ got }) => got?.startsWith('eligible'))).toHaveLength(17);
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
