// @ts-expect-error: the package has no declarations
import dcmjs from 'dcmjs';

/** dcmjs as the tests' own reader, beside the gateway's. */
export const dcmjsData = dcmjs.data as {
  readonly DicomMessage: { readFile(bytes: ArrayBuffer): { readonly dict: unknown } };
  readonly DicomMetaDictionary: { naturalizeDataset(dict: unknown): unknown };
};
