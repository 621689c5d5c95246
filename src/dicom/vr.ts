import { DicomMetaDictionary } from './dcmjs.ts';

/** Value representations: how long their values are written, and which one a tag has (PS3.5 6.2, PS3.6). */

/** VRs whose length takes 32 bits in explicit encodings (PS3.5 table 7.1-1). */
const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const shortVrs = new Set('AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));

export const isKnownVr = (vr: string): boolean => longVrs.has(vr) || shortVrs.has(vr);

/** A VR of a later edition has 32 bits of length (PS3.5 6.2.2, note). */
export const hasLongLength = (vr: string): boolean => !shortVrs.has(vr);

/** Text in the character set of the data set (PS3.5 6.1.2.2). */
export const encodedTextVrs: ReadonlySet<string> = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
/** Text that may not be split at a backslash. */
export const singleTextVrs: ReadonlySet<string> = new Set(['LT', 'ST', 'UT', 'UR']);
/** Text in the default repertoire. */
export const plainTextVrs: ReadonlySet<string> = new Set('AE AS CS DA DS DT IS TM UI UR'.split(' '));
/** Bytes of one number. */
export const numberVrs: Readonly<Record<string, number>> = { AT: 2, FD: 8, FL: 4, SL: 4, SS: 2, UL: 4, US: 2 };

/** dcmjs' names for the tags whose VR hangs on other elements, and the one taken when nothing else is known. */
const ambiguous: Readonly<Record<string, string>> = { xs: 'US or SS', lt: 'OW', ox: 'OW', up: 'UL' };

const dictionary: ReadonlyMap<string, string> = new Map(
  Object.values(DicomMetaDictionary.nameMap).map(({ tag, vr }) => [tag.replace(/[(),]/g, ''), ambiguous[vr] ?? vr]),
);

/** VR of a standard tag; `US or SS` where PixelRepresentation decides; undefined for unknown and private tags. */
export function dictionaryVr(tag: string): string | undefined {
  return tag.endsWith('0000') ? 'UL' : dictionary.get(tag);
}
