import { readFileSync } from 'node:fs';
import type { Attribute, Dataset, Instance } from '../../src/core/study.ts';
import { type Keyword, keywords } from '../../src/dicom/keywords.ts';
import { createSelectionRules, type SelectionRules } from '../../src/dicom/select.ts';

/** Headers for tests, written as keyword → value; a sequence is a list of such records. */
export type Values = { readonly [K in Keyword]?: Value };
export type Value = string | number | null | readonly (string | number | Values)[];

export function datasetOf(values: Values): Dataset {
  const dataset: Record<string, Attribute> = Object.create(null);
  for (const [keyword, value] of Object.entries(values) as [Keyword, Value][]) {
    if (value === null) continue;
    const [tag, vr] = keywords[keyword];
    const list = Array.isArray(value) ? value : [value];
    dataset[tag] = { vr, Value: list.map((entry) => asJson(entry, vr)) };
  }
  return dataset;
}

function asJson(entry: string | number | Values, vr: string): unknown {
  if (typeof entry === 'object') return datasetOf(entry);
  return vr === 'PN' ? { Alphabetic: String(entry) } : entry;
}

export const item = (CodeValue: string, CodingSchemeDesignator: string, CodeMeaning = 'meaning') => ({
  CodeValue,
  CodingSchemeDesignator,
  CodeMeaning,
});

export const crClass = '1.2.840.10008.5.1.4.1.1.1';
export const dxClass = '1.2.840.10008.5.1.4.1.1.1.1';
export const rawClass = '1.2.840.10008.5.1.4.1.1.1.1.1';
export const scClass = '1.2.840.10008.5.1.4.1.1.7';
export const keyObjectClass = '1.2.840.10008.5.1.4.1.1.88.59';

/** The study date of the tests and the moment at which they read. */
export const studyDate = '20260314';
export const now = Date.UTC(2026, 2, 14, 12);

/** A plain digital chest film of an adult that every rule accepts. */
export const plainFilm = {
  SOPClassUID: dxClass,
  SOPInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.1',
  Modality: 'DX',
  PresentationIntentType: 'FOR PRESENTATION',
  ImageType: ['ORIGINAL', 'PRIMARY'],
  BodyPartExamined: 'CHEST',
  ViewPosition: 'PA',
  PatientOrientation: ['L', 'F'],
  PatientID: 'P-1',
  PatientAge: '064Y',
  StudyDate: studyDate,
  Rows: 2500,
  Columns: 2048,
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
} as const satisfies Values;

export const film = (values: Values = {}): Dataset => datasetOf({ ...plainFilm, ...values });

export const instance = (header: Dataset, key = 'film'): Instance => ({ key, header, failure: null });

const mapping = (name: string): unknown => JSON.parse(readFileSync(`mappings/${name}.json`, 'utf8'));

export const rulesWith = (options: unknown = {}): SelectionRules =>
  createSelectionRules(mapping('selection'), mapping('views'), options);

export const context = { now, ownDeviceUids: new Set<string>(), ownUids: new Set<string>() };
