/** Single-byte character sets of DICOM: their upper halves (PS3.3 tables C.12-2 and C.12-3, edition 2025e). */

export type CharsetFlag = 'charset-guessed' | 'charset-invalid';
export type Flag = (flag: CharsetFlag) => void;

export const replacement = '\ufffd';

/**
 * Bytes 0xA0 to 0xFF of each set, by ISO-IR number, under the name that TextDecoder has for a superset of it. Only that
 * half is taken from it: from 0x80 to 0x9F these sets have nothing, whereas the supersets do.
 */
const decoderNames = {
  100: 'windows-1252',
  101: 'iso-8859-2',
  109: 'iso-8859-3',
  110: 'iso-8859-4',
  126: 'iso-8859-7',
  127: 'iso-8859-6',
  138: 'iso-8859-8',
  144: 'iso-8859-5',
  148: 'windows-1254',
  166: 'windows-874',
  203: 'iso-8859-15',
} as const;

/** 128 characters for the bytes from 0x80; U+FFFD where the set has none. */
export const singleByteSets: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(decoderNames).map(([number, name]) => [number, upperHalf(name)])),
  13: halfWidthKatakana(),
};

function upperHalf(name: string): string {
  const bytes = Uint8Array.from({ length: 96 }, (_, index) => 0xa0 + index);
  return replacement.repeat(32) + new TextDecoder(name).decode(bytes);
}

/** JIS X 0201: katakana from 0xA1 to 0xDF. */
function halfWidthKatakana(): string {
  const letters = Array.from({ length: 63 }, (_, index) => String.fromCharCode(0xff61 + index)).join('');
  return replacement.repeat(33) + letters + replacement.repeat(32);
}

/** Bytes that no declared set explains: UTF-8 when they are valid UTF-8, which hardly happens by chance, else Latin-1. */
export function decodeUndeclared(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}
