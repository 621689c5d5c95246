import { Failure } from '../core/failure.ts';
import type { Attribute, Dataset } from '../core/study.ts';
import { build, decimalString } from './build.ts';
import { inCharacterSet, writableCharacterSets } from './character-set-writer.ts';
import { type DcmjsDataset, DicomDict } from './dcmjs.ts';
import { keywords } from './keywords.ts';
import { type Apart, nativePixelsApart, withPixels } from './native-pixels.ts';
import { explicitLittleEndian } from './transfer-syntax.ts';

/** Part 10 files of our own data sets: preamble, file meta information, then the data set (PS3.10 7.1). */

/**
 * Names this implementation, at every site and in every version (PS3.7 D.3.3.2). It hangs below 2.25, from a UUID drawn
 * once: PS3.5 B.2 would rather see a registered root here, since a reader cannot tell from 2.25 whose implementation it
 * is. The project owns no root, and a UID below a root that is someone else's would be false, not only mute; the
 * ImplementationVersionName carries the name instead.
 */
export const implementationClassUid = '2.25.100785178530072086607131720388322911628';
export const implementationVersionName = 'CXR_GATEWAY';

/**
 * The bytes of a data set that `build` made. Text goes out in the SpecificCharacterSet that the data set names when that is one of
 * `writableCharacterSets`, it holds every letter, and the pixels are native; else in UTF-8 (ISO_IR 192).
 * With an encapsulated transfer syntax PixelData is one compressed frame, else the native pixels. Same data set, same bytes.
 */
export function writePart10(dataset: Dataset, transferSyntaxUid: string = explicitLittleEndian): Uint8Array {
  const isNative = transferSyntaxUid === explicitLittleEndian;
  const { rest, pixels } = isNative ? nativePixelsApart(dataset) : leftIn(withCompressedPixels(dataset));
  const [tag] = keywords.SpecificCharacterSet;
  const wanted = rest[tag]?.Value?.[0];
  const file = new DicomDict(inDcmjs(metaOf(dataset, transferSyntaxUid)));
  file.dict = inDcmjs({ ...rest, [tag]: { vr: 'CS', Value: [utf8] } });
  // `build` has looked at every length. dcmjs counts UTF-16 units where the standard counts characters, and refuses legal names.
  const bytes = new Uint8Array(file.write({ allowInvalidVRLength: true, fragmentMultiframe: false }));
  const isOther = isNative && typeof wanted === 'string' && writableCharacterSets.includes(wanted);
  return withPixels((isOther ? inCharacterSet(bytes, wanted) : null) ?? bytes, pixels);
}

/** Every text fits into it. */
const utf8 = 'ISO_IR 192';

const leftIn = (dataset: Dataset): Apart => ({ rest: dataset, pixels: new Uint8Array() });

function metaOf(dataset: Dataset, TransferSyntaxUID: string): Dataset {
  return build({
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: uidIn(dataset, 'SOPClassUID'),
    MediaStorageSOPInstanceUID: uidIn(dataset, 'SOPInstanceUID'),
    TransferSyntaxUID,
    ImplementationClassUID: implementationClassUid,
    ImplementationVersionName: implementationVersionName,
  });
}

/** Fragments are OB, whatever the depth of the pixels (PS3.5 A.4). */
function withCompressedPixels(dataset: Dataset): Dataset {
  const [tag] = keywords.PixelData;
  return Object.hasOwn(dataset, tag) ? { ...dataset, [tag]: { ...dataset[tag], vr: 'OB' } } : dataset;
}

function uidIn(dataset: Dataset, keyword: 'SOPClassUID' | 'SOPInstanceUID'): string {
  const value = dataset[keywords[keyword][0]]?.Value?.[0];
  if (typeof value !== 'string')
    throw new Failure('internal', { where: keyword, expected: 'a UID', got: typeof value });
  return value;
}

function inDcmjs(dataset: Dataset): DcmjsDataset {
  return Object.fromEntries(Object.entries(dataset).map(([tag, attribute]) => [tag, attributeInDcmjs(attribute)]));
}

function attributeInDcmjs({ vr, Value = [] }: Attribute): Attribute {
  if (vr === 'SQ') return { vr, Value: Value.map((item) => inDcmjs(item as Dataset)) };
  if (vr === 'DS') return { vr, Value: Value.map((value) => decimalString(value as number)) };
  return { vr, Value: Value.map((value) => (value instanceof Uint8Array ? bufferOf(value) : value)) };
}

/** dcmjs writes an ArrayBuffer whole: a view into a larger one is cut out. */
function bufferOf(bytes: Uint8Array): ArrayBufferLike {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole ? bytes.buffer : bytes.slice().buffer;
}
