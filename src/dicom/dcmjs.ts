/** The typed door to dcmjs, which brings no types: only what we use of it, under the names that it has there. */
// @ts-expect-error: the package has no declarations
import dcmjs from 'dcmjs';

/** An attribute as dcmjs holds it; binary VRs hold ArrayBuffers. */
export interface DcmjsAttribute {
  readonly vr: string;
  readonly Value?: readonly unknown[];
}

/** Keys are eight upper-case hex digits. */
export type DcmjsDataset = Readonly<Record<string, DcmjsAttribute>>;

export interface WriteOptions {
  /** True: values longer than their VR allows are written. */
  readonly allowInvalidVRLength: boolean;
  /** False: a frame is one fragment; true: fragments of 20 kB. */
  readonly fragmentMultiframe: boolean;
}

export interface DcmjsDicomDict {
  readonly meta: DcmjsDataset;
  dict: DcmjsDataset;
  write(options: WriteOptions): ArrayBuffer;
}

export interface ReadOptions {
  readonly ignoreErrors?: boolean;
  readonly untilTag?: string | null;
  readonly includeUntilTagValue?: boolean;
  readonly noCopy?: boolean;
  readonly forceStoreRaw?: boolean;
}

interface Dcmjs {
  readonly data: {
    readonly DicomDict: new (meta: DcmjsDataset) => DcmjsDicomDict;
    readonly DicomMessage: { readFile(bytes: ArrayBuffer, options?: ReadOptions): DcmjsDicomDict };
    readonly DicomMetaDictionary: {
      /** Keyword → value; a sequence becomes an array that also answers for its first item. */
      naturalizeDataset(dataset: DcmjsDataset): Record<string, unknown>;
      readonly nameMap: Readonly<Record<string, { readonly tag: string; readonly vr: string; readonly vm: string }>>;
    };
  };
  readonly log: { setLevel(level: string): void };
}

export const { DicomDict, DicomMessage, DicomMetaDictionary } = (dcmjs as Dcmjs).data;
