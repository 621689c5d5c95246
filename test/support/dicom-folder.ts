import { existsSync, readFileSync } from 'node:fs';

/** Real and broken files of many origins, looked for beside the project; see its index.csv for what each is. */
export const dicomFolder = '../shared/data/dicom';
const available = existsSync(`${dicomFolder}/index.csv`);
if (!available) console.warn(`Skipped: real files, because ${dicomFolder} is not there.`);
export const suiteOfFiles = available || process.env['CI'] ? describe : describe.skip;

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
  const [, ...lines] = readFileSync(`${dicomFolder}/index.csv`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [file = '', , role = '', , , , view = ''] = line.split(',');
    return { file, role, view };
  });
}

/** What must come of every file of the index: `eligible PA`, or the code of the refusal. */
export const expectedOfFiles = (): readonly { readonly file: string; readonly verdict: string }[] =>
  readIndex().map(({ file, role, view }) => {
    const verdict = exceptionOf(file) ?? byRole[role] ?? `no verdict for the role ${role}`;
    return { file, verdict: verdict === 'eligible' ? `eligible ${view}` : verdict };
  });
