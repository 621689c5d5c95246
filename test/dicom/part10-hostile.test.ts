import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { delimiter, element, encapsulated, failureOf, film, part10, uids, us } from './reading-support.ts';

/** Files that lie about themselves: lengths, nesting, counts, flipped bytes. */

const code = (bytes: Uint8Array) => failureOf(() => parsePart10(bytes));
const [sopClass, sopInstance, study, series] = uids as [Buffer, Buffer, Buffer, Buffer];
const withElement = (bytes: Uint8Array) => part10([sopClass, sopInstance, bytes, study, series]);

/** A film as a bare data set: without preamble and file meta information. */
const bare = (file: Uint8Array): Uint8Array => file.subarray(Buffer.from(file).indexOf(sopClass));

describe('lies about lengths', () => {
  test.each([0.3, 0.6, 0.9, 0.99])(
    'a film cut at %f of its length is truncated or not there, never half a film',
    async (part) => {
      const file = film(Buffer.alloc(2000), {
        '00280010': element('00280010', 'US', us(20)),
        '00280011': element('00280011', 'US', us(50)),
      });
      expect(await code(file.subarray(0, Math.floor(file.length * part)))).toBe('truncated');
    },
  );

  test('pixel data that declares 4 GB is truncated, because dcmjs would believe what it finds', async () => {
    expect(await code(film(us(0), { '7FE00010': element('7FE00010', 'OW', us(1, 2), 0xfffffff0) }))).toBe('truncated');
  });

  test('encapsulated pixel data without its end is truncated', async () => {
    const whole = encapsulated(Buffer.from('ffd8', 'hex'));
    expect(await code(film(us(0), { '7FE00010': whole.subarray(0, -8) }))).toBe('truncated');
  });

  test.each([
    ['an item longer than its sequence', element('00081032', 'SQ', delimiter('E000', Buffer.alloc(8), 800))],
    [
      'an element longer than its item',
      element('00081032', 'SQ', delimiter('E000', element('00080100', 'SH', 'x', 600))),
    ],
    ['something else than items in a sequence', element('00081032', 'SQ', element('00080100', 'SH', 'x'))],
    ['an item outside of a sequence', delimiter('E000')],
    ['undefined length under a binary VR', element('00282000', 'OB', '', 0xffffffff)],
    ['two elements of one tag', Buffer.concat([element('00100020', 'LO', '1'), element('00100020', 'LO', '2')])],
  ])('%s is malformed', async (_, bytes) => {
    expect(await code(withElement(bytes))).toBe('malformed-dicom');
  });

  test.each(['00080016', '00080018', '0020000D', '0020000E'])(
    'a file without the UID %s is malformed, because nothing can refer to it',
    async (tag) => {
      expect(await code(film(us(0), { [tag]: null }))).toBe('malformed-dicom');
    },
  );
});

describe('bounds (T5, T8)', () => {
  test('more than 20,000 elements are beyond the limit', async () => {
    const item = delimiter('E000');
    expect(await code(withElement(element('00081032', 'SQ', Buffer.concat(Array(20_000).fill(item)))))).toBe(
      'limit-exceeded',
    );
  });

  test('more than 16 levels are beyond the limit', async () => {
    let value: Buffer = Buffer.alloc(0);
    for (let level = 0; level < 16; level++) value = element('00081032', 'SQ', delimiter('E000', value));
    expect(await code(withElement(value))).toBe('none');
    expect(await code(withElement(element('00081032', 'SQ', delimiter('E000', value))))).toBe('limit-exceeded');
  });

  test('a header of more than 8 MB is beyond the limit, and pixels do not count', async () => {
    expect(await code(withElement(element('00282000', 'OB', Buffer.alloc(8 * 1024 * 1024))))).toBe('limit-exceeded');
    expect(await code(film(Buffer.alloc(9 * 1024 * 1024)))).toBe('none');
  });

  const items = (count: number) => Buffer.concat(Array<Buffer>(count).fill(delimiter('E000')));
  const nested = (levels: number) => {
    // Undefined lengths nest without any sum of them.
    const open = Buffer.concat([
      element('00081032', 'SQ', '', 0xffffffff),
      delimiter('E000', Buffer.alloc(0), 0xffffffff),
    ]);
    return Buffer.concat(Array<Buffer>(levels).fill(open));
  };
  test.each<[string, () => Buffer, string]>([
    ['500,000 elements', () => element('00081032', 'SQ', items(500_000)), 'limit-exceeded'],
    ['a million levels', () => nested(1_000_000), 'limit-exceeded'],
    ['ten million backslashes', () => element('00081030', 'UT', Buffer.alloc(10_000_000, '\\')), 'limit-exceeded'],
  ])('a bomb of %s is refused at once (T8)', async (_name, bomb, expected) => {
    const file = withElement(bomb());
    const began = performance.now();
    expect(await code(file)).toBe(expected);
    // The goal is 2.5 s.
    expect(performance.now() - began).toBeLessThan(25_000);
  });

  const deflated = '1.2.840.10008.1.2.1.99';

  test('a deflate bomb is stopped at the limit, because dcmjs would inflate all of it', async () => {
    const bomb = deflateRawSync(Buffer.alloc(300 * 1024 * 1024), { level: 9 });
    expect(bomb.length).toBeLessThan(512 * 1024);
    const before = process.memoryUsage().rss;
    expect(await code(part10([bomb], deflated))).toBe('limit-exceeded');
    expect(process.memoryUsage().rss - before).toBeLessThan(250 * 1024 * 1024);
  });

  test('a deflated data set that ends early is truncated, and one that is none is malformed', async () => {
    const whole = deflateRawSync(bare(film()));
    expect(await code(part10([whole], deflated))).toBe('none');
    expect(await code(part10([whole.subarray(0, -4)], deflated))).toBe('truncated');
    expect(await code(part10([Buffer.alloc(64, 0xff)], deflated))).toBe('malformed-dicom');
  });
});

test('flipped bytes anywhere in a header are read or refused with a code, because files come from strangers', async () => {
  const sequence = element('00081032', 'SQ', delimiter('E000', element('00080100', 'SH', 'x')));
  const whole = film(us(0, 1, 2, 3, 4, 5), { '00081032': sequence, '00100010': element('00100010', 'PN', 'A^B=C') });
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 0x80000000;
    return seed % below;
  };
  const outcomes = new Set<string>();
  for (let round = 0; round < 3000; round++) {
    const file = Buffer.from(whole);
    for (let flip = 0; flip <= round % 3; flip++) file[128 + random(file.length - 128)] = random(256);
    outcomes.add(await failureOf(() => parsePart10(file)));
  }
  for (const outcome of outcomes) expect(['none', 'not-dicom', 'malformed-dicom', 'truncated']).toContain(outcome);
  expect(outcomes.size).toBe(4);
});
