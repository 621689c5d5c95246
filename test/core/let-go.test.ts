import { expect, test } from '@jest/globals';
import { letGo } from '../../src/core/let-go.ts';

test('arrays that are let go are empty, and their memory is gone', () => {
  const [floats, words] = [new Float32Array(1000), new Uint16Array(1000)];
  letGo(floats, words);
  expect([floats.length, words.length]).toEqual([0, 0]);
  expect(floats.buffer.byteLength).toBe(0);
});

test('an array that shares its buffer is left alone, because somebody else may look at the rest', () => {
  const whole = new Uint8Array(8).fill(7);
  letGo(whole.subarray(0, 4));
  expect([...whole]).toEqual([7, 7, 7, 7, 7, 7, 7, 7]);
});

test('may be told of an array twice, and of a view of one that is gone', () => {
  const whole = new Uint8Array(8);
  const words = new Uint16Array(whole.buffer);
  letGo(whole, words);
  expect(() => letGo(whole)).not.toThrow();
});
