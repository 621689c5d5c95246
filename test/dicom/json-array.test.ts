import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { itemsOf, NoJsonArray, oversized } from '../../src/dicom/json-array.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 7, most = 10_000): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  for await (const item of itemsOf(pieces(text, size), most)) items.push(item);
  return items;
}

const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'read',
    (thrown: unknown) =>
      thrown instanceof NoJsonArray ? `${thrown.otherJson ? 'other JSON' : 'broken'}` : String(thrown),
  );

describe('the items of a JSON array', () => {
  test('are those of JSON.parse, wherever the chunks end, because a network cuts where it likes', async () => {
    const json = fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 6 });
    const layout = fc.constantFrom(undefined, 1, '\t');
    await fc.assert(
      fc.asyncProperty(json, layout, fc.integer({ min: 1, max: 40 }), async (value, indent, size) => {
        const text = ` \n${JSON.stringify(value, null, indent)}\n`;
        expect(await read(text, size)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test('hold brackets, commas and quotes in their texts, because a description may hold anything', async () => {
    const value = [{ a: '],"\\' }, '\\"[', { 'b\\': ['}', ','] }];
    for (let size = 1; size < 12; size++) expect(await read(JSON.stringify(value), size)).toEqual(value);
  });

  test('of too many bytes are passed over unread, and the others are read', async () => {
    const text = JSON.stringify([{ a: 1 }, { long: 'x'.repeat(200) }, { b: 2 }]);
    expect(await read(text, 16, 100)).toEqual([{ a: 1 }, oversized, { b: 2 }]);
  });

  test.each(['[]', ' [ ] ', '[\n]'])('are none in %j', async (text) => expect(await read(text, 1)).toEqual([]));

  test.each([
    ['', 'broken'],
    ['<html>', 'broken'],
    ['{"message": "hello"}', 'other JSON'],
    ['[{"a": 1}', 'broken'],
    ['[{"a": 1},', 'broken'],
    ['[{"a": 1},]', 'broken'],
    ['[,1]', 'broken'],
    ['[{"a" 1}]', 'broken'],
    ['[1}', 'broken'],
    ['[1]]', 'broken'],
    ['[1] x', 'broken'],
    ['[1][2]', 'broken'],
    ['["a]', 'broken'],
    ['[{]}', 'broken'],
  ])('%s is no whole array', async (text, kind) => {
    for (const size of [1, 3, 100]) expect(await kindOf(read(text, size))).toBe(kind);
  });
});
