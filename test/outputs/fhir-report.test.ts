import { expect, test } from '@jest/globals';
import { sha256 } from '../../src/core/ids.ts';
import { fhirOptionsSchema } from '../../src/fhir/options.ts';
import { proceduresSchema } from '../../src/fhir/procedures.ts';
import { createFhirReport } from '../../src/outputs/fhir-report.ts';
import { compose, drawPicture, procedures, reportOptions } from '../fhir/support.ts';
import { makeImageReading, makeReading, makeStudyHeader } from '../support/readings.ts';

const output = createFhirReport({ procedures, report: reportOptions });

interface Loose {
  readonly entry: readonly { readonly fullUrl: string; readonly resource: Record<string, never> }[];
}
const parse = (bytes: Uint8Array): Loose => JSON.parse(Buffer.from(bytes).toString('utf8')) as Loose;

test('the artifact names its bytes by report and revision, because the first recorded bytes win', () => {
  const [first] = output.compose(compose(makeReading()));
  const [second] = output.compose(compose(makeReading({ revision: 2 })));
  expect(first?.id).toMatch(/^cxr-[0-9a-f]{32}#1$/);
  expect(second?.id).toBe(first?.id.replace('#1', '#2'));
  expect(first?.sha256).toBe(sha256(first!.bytes));
  expect(first).toMatchObject({
    kind: 'fhir-bundle',
    fileName: 'fhir-bundle.json',
    mediaType: 'application/fhir+json',
  });
});

test('the page inside holds the picture itself, because an EHR opens it without a network', async () => {
  const picture = await drawPicture(40, 50);
  const [artifact] = output.compose(compose(makeReading(), picture));
  const report = parse(artifact!.bytes).entry.find(({ resource }) => resource['resourceType'] === 'DiagnosticReport');
  const [{ data }] = report!.resource['presentedForm'] as unknown as [{ data: string }];
  const html = Buffer.from(data, 'base64').toString('utf8');
  expect(html).toContain(`src="data:image/jpeg;base64,${Buffer.from(picture.jpeg).toString('base64')}"`);
  expect(html.match(/(?:src|href)="(?!data:)/g)).toBeNull();
});

const codeOf = (overrides: Parameters<typeof makeReading>[0]): unknown => {
  const [artifact] = output.compose(compose(makeReading(overrides)));
  const report = parse(artifact!.bytes).entry.find(({ resource }) => resource['resourceType'] === 'DiagnosticReport');
  return (report!.resource['code'] as unknown as { coding: [{ code: string }] }).coding[0].code;
};
const code = (CodingSchemeDesignator: string, CodeValue: string) => [
  { CodingSchemeDesignator, CodeValue, CodeMeaning: 'as the source says' },
];

test.each<[string, Parameters<typeof makeReading>[0], string]>([
  [
    'the code asked for',
    { study: makeStudyHeader({ RequestedProcedureCodeSequence: code('LN', '36589-0') }) },
    '36589-0',
  ],
  ['the code performed', { study: makeStudyHeader({ ProcedureCodeSequence: code('SCT', '399208008') }) }, '30745-4'],
  ['the view PA', { study: makeStudyHeader({ ProcedureCodeSequence: code('99LOCAL', 'CXR') }) }, '24648-8'],
  ['the view AP', { images: [makeImageReading({ view: 'AP' })] }, '36572-6'],
  ['a frontal view', { images: [makeImageReading({ view: 'frontal' })] }, '36554-4'],
  ['no image', { images: [] }, '18748-4'],
])('%s decides the LOINC code, because none is invented', (_, reading, expected) => {
  expect(codeOf(reading)).toBe(expected);
});

test('a LOINC code without a name is refused, because a report would carry a number that nobody can read', () => {
  expect(proceduresSchema.safeParse({ ...procedures, fallback: '11111-1' }).success).toBe(false);
  expect(proceduresSchema.safeParse({ ...procedures, more: 1 }).success).toBe(false);
});

test('a site that sets nothing gets safe options, and a wrong key is refused', () => {
  expect(fhirOptionsSchema.parse({})).toEqual({
    issuers: {},
    onAmbiguousPatient: 'identifier',
    aiSecurityLabel: false,
    ids: 'auto',
    transactions: 'auto',
  });
  expect(fhirOptionsSchema.safeParse({ patientIdentifierSytem: 'http://a.test' }).success).toBe(false);
  expect(fhirOptionsSchema.safeParse({ patientIdentifierSystem: 'no address' }).success).toBe(false);
});
