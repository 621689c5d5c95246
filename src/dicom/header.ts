import { Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { Described } from '../core/ports.ts';
import type { ImageHeader, StudyHeader } from '../core/reading.ts';
import type { Code, Dataset, PatientIdentity } from '../core/study.ts';
import { type CharacterSet, resultCharacterSet } from './character-set-writer.ts';
import { codes, has, items, number, numbers, text, texts } from './dataset.ts';
import {
  ageOf,
  codeStringOf,
  dateOf,
  integerOf,
  longStringOf,
  oneOf,
  personNameOf,
  shortStringOf,
  timeOf,
  timezoneOffsetOf,
  trimmed,
} from './header-values.ts';
import { type Keyword, keywords } from './keywords.ts';
import { limits } from './limits.ts';

/**
 * What a film's header says, fit to be copied into a result. A text that its VR forbids is left out and flagged
 * `omitted:<Keyword>`, a date or time in an older form is put right and flagged `normalized:<Keyword>`. Identifiers are
 * never shortened or repaired: they stop the film with `invalid-identifier`.
 */

type Check = (value: string | null) => string | null;

/** Reads one attribute under its check; the flags are what happened on the way. */
interface Extract {
  (keyword: Keyword, check: Check): string | null;
  readonly flags: string[];
  readonly dataset: Dataset;
}

function extractFrom(dataset: Dataset, flags: string[] = []): Extract {
  const read = (keyword: Keyword, check: Check): string | null => {
    const source = trimmed(text(dataset, keyword));
    if (source === null) return null;
    const value = texts(dataset, keyword).length > 1 ? null : check(source);
    if (value === null) flags.push(`omitted:${keyword}`);
    else if (value !== source && (check === dateOf || check === timeOf || check === timezoneOffsetOf)) {
      flags.push(`normalized:${keyword}`);
    }
    return value;
  };
  return Object.assign(read, { flags, dataset });
}

/** Everything that results copy from the header of a film. Raises `invalid-identifier`, `malformed-dicom` or `limit-exceeded`. */
export function describe(dataset: Dataset, characterSet: CharacterSet = 'utf-8'): Described {
  const flags: string[] = [];
  const study = { ...studyOf(extractFrom(dataset, flags)), ...resultCharacterSet(dataset, characterSet) };
  const image = imageOf(extractFrom(dataset, flags));
  return { study, image, flags: [...new Set(flags)] };
}

/** Patient and study attributes with the flags of what was left out. */
export function studyHeader(dataset: Dataset): { readonly header: StudyHeader; readonly flags: readonly string[] } {
  const extract = extractFrom(dataset);
  return { header: studyOf(extract), flags: extract.flags };
}

export function imageHeader(dataset: Dataset): ImageHeader {
  return imageOf(extractFrom(dataset));
}

/** Whose object it is, as written there: the values are compared, never copied, and so never refused. */
export function patientIdentity(dataset: Dataset): PatientIdentity {
  const asWritten = (keyword: Keyword) => trimmed(texts(dataset, keyword).join('\\'));
  return { PatientID: asWritten('PatientID'), IssuerOfPatientID: asWritten('IssuerOfPatientID') };
}

function studyOf(extract: Extract): StudyHeader {
  const { dataset } = extract;
  return {
    StudyInstanceUID: uid(dataset, 'StudyInstanceUID'),
    PatientName: extract('PatientName', personNameOf),
    PatientID: identifier(dataset, 'PatientID', longStringOf),
    IssuerOfPatientID: identifier(dataset, 'IssuerOfPatientID', longStringOf),
    OtherPatientIDsSequence: otherPatientIds(extract),
    PatientBirthDate: extract('PatientBirthDate', dateOf),
    PatientSex: extract('PatientSex', (value) => oneOf(value, ['M', 'F', 'O'])),
    PatientAge: extract('PatientAge', ageOf),
    StudyDate: extract('StudyDate', dateOf),
    StudyTime: extract('StudyTime', timeOf),
    TimezoneOffsetFromUTC: extract('TimezoneOffsetFromUTC', timezoneOffsetOf),
    StudyID: extract('StudyID', shortStringOf),
    AccessionNumber: identifier(dataset, 'AccessionNumber', shortStringOf),
    StudyDescription: extract('StudyDescription', longStringOf),
    ReferringPhysicianName: extract('ReferringPhysicianName', personNameOf),
    PlacerOrderNumberImagingServiceRequest: extract('PlacerOrderNumberImagingServiceRequest', longStringOf),
    FillerOrderNumberImagingServiceRequest: extract('FillerOrderNumberImagingServiceRequest', longStringOf),
    ...requestOf(extract),
    ProcedureCodeSequence: codesOf(extract, 'ProcedureCodeSequence'),
  };
}

type Request = Pick<
  StudyHeader,
  'RequestedProcedureID' | 'RequestedProcedureDescription' | 'RequestedProcedureCodeSequence'
>;

/** The requested procedure, when the film answers exactly one; which of several a result belongs to is never guessed. */
function requestOf({ dataset, flags }: Extract): Request {
  const requests = items(dataset, 'RequestAttributesSequence');
  if (requests.length > 1) flags.push('omitted:RequestAttributesSequence');
  const [only] = requests.length === 1 ? requests : [];
  const inner = extractFrom(only ?? dataset, flags);
  const outer = extractFrom(dataset, flags);
  const coded = codesOf(inner, 'RequestedProcedureCodeSequence');
  return {
    RequestedProcedureID: inner('RequestedProcedureID', shortStringOf),
    RequestedProcedureDescription:
      inner('RequestedProcedureDescription', longStringOf) ?? outer('RequestedProcedureDescription', longStringOf),
    RequestedProcedureCodeSequence: coded.length > 0 ? coded : codesOf(outer, 'RequestedProcedureCodeSequence'),
  };
}

/** Codes whose three parts fit their VRs (PS3.3 8.2: SH, SH, LO). */
function codesOf({ dataset, flags }: Extract, keyword: Keyword): readonly Code[] {
  const found = codes(dataset, keyword);
  const fit = found.filter(
    ({ CodeValue, CodingSchemeDesignator, CodeMeaning }) =>
      shortStringOf(CodeValue) && shortStringOf(CodingSchemeDesignator) && longStringOf(CodeMeaning),
  );
  if (fit.length < found.length) flags.push(`omitted:${keyword}`);
  return fit;
}

const otherIdParts = {
  PatientID: longStringOf,
  IssuerOfPatientID: longStringOf,
  TypeOfPatientID: codeStringOf,
} as const satisfies Partial<Record<Keyword, Check>>;

/** Other identifiers with issuer and type. One that does not fit its VR is left out whole: half an identifier is another one. */
function otherPatientIds({ dataset, flags }: Extract): readonly Dataset[] {
  return items(dataset, 'OtherPatientIDsSequence').flatMap((item) => {
    const own = extractFrom(item);
    const parts = Object.entries(otherIdParts).map(
      ([keyword, check]) => [keyword, own(keyword as Keyword, check)] as const,
    );
    if (own.flags.length > 0 || !has(item, 'PatientID')) {
      flags.push('omitted:OtherPatientIDsSequence');
      return [];
    }
    const fit = parts
      .filter(([, value]) => value !== null)
      .map(([keyword, value]) => attribute(keyword as Keyword, value));
    return [Object.assign(Object.create(null), Object.fromEntries(fit)) as Dataset];
  });
}

function attribute(keyword: Keyword, value: unknown) {
  const [tag, vr] = keywords[keyword];
  return [tag, { vr, Value: [value] }] as const;
}

function imageOf(extract: Extract): ImageHeader {
  const { dataset } = extract;
  const [Rows, Columns] = [sizeOf(dataset, 'Rows'), sizeOf(dataset, 'Columns')];
  // Before anything is fetched (T6).
  if (Rows * Columns > limits.pixels) {
    throw new Failure('limit-exceeded', { where: 'Rows × Columns', expected: `at most ${limits.pixels}` });
  }
  return {
    StudyInstanceUID: uid(dataset, 'StudyInstanceUID'),
    SeriesInstanceUID: uid(dataset, 'SeriesInstanceUID'),
    SOPInstanceUID: uid(dataset, 'SOPInstanceUID'),
    SOPClassUID: uid(dataset, 'SOPClassUID'),
    Modality: modalityOf(dataset),
    SeriesNumber: integerOf(number(dataset, 'SeriesNumber')),
    InstanceNumber: integerOf(number(dataset, 'InstanceNumber')),
    Rows,
    Columns,
    PatientOrientation: orientationOf(extract),
    PixelSpacing: spacingOf(extract, 'PixelSpacing'),
    ImagerPixelSpacing: spacingOf(extract, 'ImagerPixelSpacing'),
    AcquisitionDate: extract('AcquisitionDate', dateOf),
    AcquisitionTime: extract('AcquisitionTime', timeOf),
    BurnedInAnnotation: oneOf(text(dataset, 'BurnedInAnnotation'), ['YES', 'NO']),
    LossyImageCompression: oneOf(text(dataset, 'LossyImageCompression'), ['00', '01']),
    LossyImageCompressionRatio: numbers(dataset, 'LossyImageCompressionRatio').filter((ratio) => ratio > 0),
    LossyImageCompressionMethod: texts(dataset, 'LossyImageCompressionMethod').flatMap(
      (value) => codeStringOf(value) ?? [],
    ),
  };
}

function modalityOf(dataset: Dataset): 'CR' | 'DX' {
  const modality = oneOf(text(dataset, 'Modality'), ['CR', 'DX']);
  if (modality === null) throw new Failure('not-radiograph', { where: 'Modality', expected: 'CR or DX' });
  return modality;
}

function sizeOf(dataset: Dataset, keyword: 'Rows' | 'Columns'): number {
  const size = number(dataset, keyword);
  if (size !== null && Number.isInteger(size) && size > 0 && size <= 65_535) return size;
  throw new Failure('no-pixels', { where: keyword, expected: '1 to 65535' });
}

/** Directions of rows and columns, for humans; null unless both are there and nothing else is. */
export function patientOrientation(dataset: Dataset): readonly [string, string] | null {
  const [row, column, ...more] = texts(dataset, 'PatientOrientation').map((value) => value.trim());
  const human = (value: string | undefined): value is string => /^[APLRHF]{1,3}$/.test(value ?? '');
  return human(row) && human(column) && more.length === 0 ? [row, column] : null;
}

function orientationOf({ dataset, flags }: Extract): readonly [string, string] | null {
  const orientation = patientOrientation(dataset);
  if (!orientation && has(dataset, 'PatientOrientation')) flags.push('omitted:PatientOrientation');
  return orientation;
}

function spacingOf(
  { dataset, flags }: Extract,
  keyword: 'PixelSpacing' | 'ImagerPixelSpacing',
): readonly [number, number] | null {
  const [vertical, horizontal, ...more] = numbers(dataset, keyword);
  if (vertical === undefined) return null;
  if (horizontal !== undefined && more.length === 0 && vertical > 0 && horizontal > 0) return [vertical, horizontal];
  flags.push(`omitted:${keyword}`);
  return null;
}

function uid(dataset: Dataset, keyword: Keyword): string {
  const values = texts(dataset, keyword).flatMap((value) => trimmed(value) ?? []);
  const [value] = values;
  if (value === undefined) throw new Failure('malformed-dicom', { where: keyword, expected: 'a UID' });
  if (values.length > 1 || !isUid(value))
    throw new Failure('invalid-identifier', { where: keyword, expected: 'a UID of at most 64 characters' });
  return value;
}

/** Absent is null; what is there must fit as it is, and be decoded without loss. */
function identifier(dataset: Dataset, keyword: Keyword, check: Check): string | null {
  const values = texts(dataset, keyword);
  const value = trimmed(values.join('\\'));
  if (value === null) return null;
  const fit = check(value);
  if (fit !== null && !fit.includes('\ufffd')) return fit;
  throw new Failure('invalid-identifier', { where: keyword, expected: `a value that fits ${keywords[keyword][1]}` });
}
