import { createCodeExtensionDecoder, type DecodeText } from './iso2022.ts';
import { type Flag, replacement } from './single-byte.ts';

/**
 * Text of a data set to Unicode, by its SpecificCharacterSet (PS3.3 C.12.1.1.2, PS3.5 6.1.2, edition 2025e). Never raises:
 * what cannot be decoded becomes U+FFFD and is flagged.
 */

export type { DecodeText, TextKind } from './iso2022.ts';
export type { CharsetFlag } from './single-byte.ts';

/** Encodings of several bytes that know no code extensions (PS3.3 table C.12-5). */
const wholeEncodings: Readonly<Record<string, string>> = { 192: 'utf-8', GB18030: 'gb18030', GBK: 'gbk' };

/**
 * A decoder for the values of SpecificCharacterSet. `flag` hears `charset-guessed` when bytes fall outside of what is
 * declared and were read by likelihood, `charset-invalid` when they mean nothing in what is declared.
 */
export function createTextDecoder(terms: readonly string[], flag: Flag): DecodeText {
  const names = terms.map(normalizeTerm);
  const [first = '6'] = names;
  const whole = wholeEncodings[first];
  if (whole === undefined) return withAsciiPath(createCodeExtensionDecoder(names, flag));
  const decoder = new TextDecoder(whole);
  return (bytes) => {
    const text = decoder.decode(bytes);
    if (text.includes(replacement)) flag('charset-invalid');
    return text;
  };
}

/** Most text is ASCII without escapes, whatever is declared; not in JIS X 0201, which has a yen sign and an overline. */
function withAsciiPath(decode: DecodeText): DecodeText {
  return (bytes, kind) => (bytes.every(isPlain) ? latin1(bytes) : decode(bytes, kind));
}

const isPlain = (byte: number): boolean => byte < 0x7e && byte !== 0x5c && byte !== 0x1b;

/** Text in the default repertoire, such as a code string or a UID. Bytes beyond it are read as Latin-1 and flagged. */
export function decodePlain(bytes: Uint8Array, flag: Flag): string {
  if (bytes.some((byte) => byte >= 0x80)) flag('charset-invalid');
  return latin1(bytes);
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** `ISO_IR 100`, `ISO 2022 IR 100` and their misspellings as `100`; an absent or empty term is `6` (ASCII). */
function normalizeTerm(term: string): string {
  const plain = term.trim().toUpperCase();
  if (plain === '') return '6';
  return /^ISO[ _-]?(?:2022[ _-]?)?IR[ _-]?([0-9]+)$/.exec(plain)?.[1] ?? plain;
}
