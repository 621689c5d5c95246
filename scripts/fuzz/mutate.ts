/** Makes damaged inputs out of good ones: bytes, lengths, tags and markers of the formats, cuts and splices. */

/** Uniform numbers, 0 to 1. */
export type Random = () => number;

/** What parsers look for: tags, VRs, delimiters, lengths, markers, escape sequences, framing. */
const tokens = [
  ...['feff00e0', 'feff0de0', 'feffdde0', 'e07f1000', '08000500', '28001000', '28001100', '02001000', '2800020101'],
  ...['ffffffff', 'feffffff', '00000080', 'ffffff7f', '00000000', '0000', 'ffff', '0100', '01000000'],
  ...[
    'ffd8',
    'ffd9',
    'ffda',
    'ffc0',
    'ffc1',
    'ffc3',
    'ffc4',
    'ffdb',
    'ffdd',
    'ffd0',
    'ff00',
    'ff4f',
    'ff51',
    'ff52',
    'ff90',
    'ff93',
  ],
  ...['1b2442', '1b2842', '1b242943', '1b2d41', '5c', '5e', '3d', '0d0a', '0d0a2d2d', '2d2d0d0a', '0d0a0d0a'],
].map((hex) => Buffer.from(hex, 'hex'));
const words = [
  'SQ',
  'UN',
  'OB',
  'OW',
  'US',
  'SS',
  'CS',
  'DS',
  'IS',
  'PN',
  'UI',
  'LO',
  'ZZ',
  '"vr"',
  '"Value"',
  'null',
  '[]',
  '{}',
  '1e999',
].map((word) => Buffer.from(word, 'latin1'));
const dictionary = [...tokens, ...words];

type Mutation = (input: Buffer, random: Random, other: Buffer) => Buffer;

const upTo = (random: Random, most: number): number => Math.floor(random() * most);
const part = (random: Random, input: Buffer, most: number): [number, number] => {
  const start = upTo(random, input.length + 1);
  return [start, Math.min(input.length, start + 1 + upTo(random, most))];
};

const mutations: readonly Mutation[] = [
  (input, random) => {
    if (input.length > 0) input[upTo(random, input.length)]! ^= 1 << upTo(random, 8);
    return input;
  },
  (input, random) => {
    if (input.length > 0) input[upTo(random, input.length)] = upTo(random, 256);
    return input;
  },
  // Headers are at the front, where most of what a parser decides is decided.
  (input, random) => {
    if (input.length > 0) input[upTo(random, Math.min(input.length, 600))] = [0, 1, 0x7f, 0x80, 0xff][upTo(random, 5)]!;
    return input;
  },
  (input, random) => {
    const token = dictionary[upTo(random, dictionary.length)]!;
    token.copy(input, upTo(random, input.length + 1));
    return input;
  },
  (input, random) => {
    const at = upTo(random, input.length + 1);
    return Buffer.concat([input.subarray(0, at), dictionary[upTo(random, dictionary.length)]!, input.subarray(at)]);
  },
  (input, random) => {
    const [start, end] = part(random, input, 64);
    return Buffer.concat([input.subarray(0, start), input.subarray(end)]);
  },
  (input, random) => {
    const [start, end] = part(random, input, 256);
    return Buffer.concat([input.subarray(0, end), input.subarray(start, end), input.subarray(end)]);
  },
  (input, random) => input.subarray(0, upTo(random, input.length + 1)),
  (input, random, other) => {
    const [start, end] = part(random, other, 512);
    const at = upTo(random, input.length + 1);
    return Buffer.concat([input.subarray(0, at), other.subarray(start, end), input.subarray(at)]);
  },
];

/** One to six changes of a copy of `input`; some take a piece of `other`. Never longer than `most` bytes. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random, most: number): Uint8Array {
  let changed: Buffer = Buffer.from(input);
  for (let n = 1 + upTo(random, 6); n > 0; n--) {
    changed = Buffer.from(mutations[upTo(random, mutations.length)]!(changed, random, Buffer.from(other)));
  }
  return new Uint8Array(changed.subarray(0, most));
}
