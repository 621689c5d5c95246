import { decodeUndeclared, type Flag, replacement, singleByteSets } from './single-byte.ts';

/** Text with code extensions: escape sequences switch the sets of both halves (ISO 2022 as PS3.5 6.1.2.5 and PS3.3 C.12.1.1.2 use it). */

/** `list`: a backslash divides values. `name`: so do `^` and `=`, at which a code extension ends (PS3.5 6.1.2.5.3). */
export type TextKind = 'list' | 'name' | 'single';
export type DecodeText = (bytes: Uint8Array, kind: TextKind) => string;

/** What an escape sequence switches to: lower half (G0) or upper half (G1), and the ISO-IR number of the set. */
interface Designation {
  readonly half: 'g0' | 'g1';
  readonly set: string;
}

const g0 = (set: string): Designation => ({ half: 'g0', set });
const g1 = (set: string): Designation => ({ half: 'g1', set });

/** Escape sequences after the ESC (PS3.3 tables C.12-3 and C.12-4). `$@` is the 1978 edition of JIS X 0208, still met. */
const designations: readonly (readonly [string, Designation])[] = [
  ['(B', g0('6')],
  ['(J', g0('14')],
  [')I', g1('13')],
  ['-A', g1('100')],
  ['-B', g1('101')],
  ['-C', g1('109')],
  ['-D', g1('110')],
  ['-F', g1('126')],
  ['-G', g1('127')],
  ['-H', g1('138')],
  ['-L', g1('144')],
  ['-M', g1('148')],
  ['-T', g1('166')],
  ['-b', g1('203')],
  ['$B', g0('87')],
  ['$@', g0('87')],
  ['$(D', g0('159')],
  ['$)C', g1('149')],
  ['$)A', g1('58')],
];

/** Sets of two bytes a character: how TextDecoder wants to see a pair. */
const pairDecoders: Readonly<Record<string, { readonly name: string; readonly prefix: readonly number[] }>> = {
  87: { name: 'euc-jp', prefix: [] },
  159: { name: 'euc-jp', prefix: [0x8f] },
  149: { name: 'euc-kr', prefix: [] },
  58: { name: 'gbk', prefix: [] },
};

interface State {
  readonly declared: ReadonlySet<string>;
  readonly initial: { readonly g0: string; readonly g1: string | null };
  readonly flag: Flag;
  g0: string;
  g1: string | null;
  text: string;
  /** Bytes of one set that wait to be decoded together. */
  run: number[];
  runSet: string | null;
}

const undeclared = 'undeclared';

/** A decoder for terms given as ISO-IR numbers; the first one is in force wherever a value or component begins. */
export function createCodeExtensionDecoder(terms: readonly string[], flag: Flag): DecodeText {
  const [first = '6'] = terms;
  const declared = new Set([...terms, '6', ...(terms.includes('13') ? ['14'] : [])]);
  const initial = { g0: first === '13' ? '14' : '6', g1: initialUpperHalf(first) };
  return (bytes, kind) => {
    const state: State = { declared, initial, flag, ...initial, text: '', run: [], runSet: null };
    for (let at = 0; at < bytes.length; ) at += step(state, bytes, at, kind);
    flush(state);
    if (state.text.includes(replacement)) flag('charset-invalid');
    return state.text;
  };
}

/** A set of two bytes in the upper half may stand first, against the rule, and then needs no escape. */
const initialUpperHalf = (term: string): string | null =>
  term in singleByteSets || term === '149' || term === '58' ? term : null;

/** Decodes one character or escape sequence; gives the bytes it took. */
function step(state: State, bytes: Uint8Array, at: number, kind: TextKind): number {
  const byte = bytes[at]!;
  if (byte === 0x1b) return designate(state, bytes, at);
  if (byte >= 0x80) return stepUpper(state, bytes, at);
  if (byte < 0x20 || !(state.g0 in pairDecoders)) return stepLower(state, byte, kind);
  const second = bytes[at + 1];
  if (second === undefined || second < 0x20) return emit(state, replacement, 1);
  return collect(state, state.g0, [byte | 0x80, second | 0x80]);
}

function designate(state: State, bytes: Uint8Array, at: number): number {
  const found = designations.find(([code]) => [...code].every((c, index) => bytes[at + 1 + index] === c.charCodeAt(0)));
  if (!found) return emit(state, replacement, 1);
  const [code, { half, set }] = found;
  if (!state.declared.has(set)) state.flag('charset-guessed');
  state[half] = set;
  return 1 + code.length;
}

function stepLower(state: State, byte: number, kind: TextKind): number {
  const character = String.fromCharCode(byte);
  if (byte < 0x20 || (kind !== 'single' && byte === 0x5c) || (kind === 'name' && '^='.includes(character))) {
    // Code extensions end at control characters and delimiters (PS3.5 6.1.2.5.3).
    Object.assign(state, state.initial);
    return emit(state, character, 1);
  }
  if (state.g0 !== '14') return emit(state, character, 1);
  return emit(state, byte === 0x5c ? '\u00a5' : byte === 0x7e ? '\u203e' : character, 1);
}

function stepUpper(state: State, bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  const set = state.g1 ?? onlyPairSet(state);
  if (set === null) {
    state.flag('charset-guessed');
    return collect(state, undeclared, [byte]);
  }
  if (!(set in pairDecoders)) return emit(state, singleByteSets[set]?.[byte - 0x80] ?? replacement, 1);
  const second = bytes[at + 1];
  if (second === undefined || second < 0x80) return emit(state, replacement, 1);
  return collect(state, set, [byte, second]);
}

/** Some writers escape once and not again after a delimiter; with one such set declared, it is the one meant. */
function onlyPairSet(state: State): string | null {
  const sets = ['149', '58'].filter((set) => state.declared.has(set));
  if (sets.length !== 1) return null;
  state.flag('charset-guessed');
  return sets[0]!;
}

function emit(state: State, character: string, taken: number): number {
  flush(state);
  state.text += character;
  return taken;
}

function collect(state: State, set: string, bytes: readonly number[]): number {
  if (state.runSet !== set) flush(state);
  state.runSet = set;
  state.run.push(...(pairDecoders[set]?.prefix ?? []), ...bytes);
  return bytes.length;
}

function flush(state: State): void {
  if (state.runSet === null) return;
  const bytes = Uint8Array.from(state.run);
  const pairs = pairDecoders[state.runSet];
  state.text += pairs ? new TextDecoder(pairs.name).decode(bytes) : decodeUndeclared(bytes);
  state.run = [];
  state.runSet = null;
}
