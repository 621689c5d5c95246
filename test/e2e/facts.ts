import { dcmjsData } from './dcmjs.ts';

/** What a DICOM file says, read by dcmjs alone. */

export interface DicomFacts {
  readonly bytes: Uint8Array;
  readonly modality: string;
  readonly dataset: Readonly<Record<string, unknown>>;
}

export function factsOf(bytes: Uint8Array): DicomFacts {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const { dict } = dcmjsData.DicomMessage.readFile(buffer);
  const dataset = dcmjsData.DicomMetaDictionary.naturalizeDataset(dict) as Record<string, unknown>;
  return { bytes, modality: String(dataset['Modality']), dataset };
}

interface ContentItem {
  readonly ValueType: string;
  readonly ConceptNameCodeSequence?: CodeItem | readonly CodeItem[];
  readonly ConceptCodeSequence?: CodeItem | readonly CodeItem[];
  readonly MeasuredValueSequence?: unknown;
  readonly TextValue?: string;
  readonly UID?: string;
  readonly ContentSequence?: ContentItem | readonly ContentItem[];
}

interface CodeItem {
  readonly CodeValue: string;
  readonly CodeMeaning: string;
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [...([value] as T[])];

/** Every content item of the tree whose concept has this code value. */
export function itemsOf(dataset: DicomFacts['dataset'], codeValue: string): readonly ContentItem[] {
  const visit = (item: ContentItem): readonly ContentItem[] => {
    const [concept] = list(item.ConceptNameCodeSequence);
    const own = concept?.CodeValue === codeValue ? [item] : [];
    return [...own, ...list(item.ContentSequence).flatMap(visit)];
  };
  return visit(dataset as unknown as ContentItem);
}

export function numberOf(item: ContentItem): number {
  const [measured] = list(item.MeasuredValueSequence as { NumericValue: unknown } | undefined);
  return Number(measured?.NumericValue);
}

export function codeOf(item: ContentItem | undefined): string | undefined {
  return list(item?.ConceptCodeSequence)[0]?.CodeValue;
}
