import { expect, test } from '@jest/globals';
import { defaultReadingConfig } from '../src/config.ts';
import { providerOf } from '../src/wire.ts';

const configured = (provider: 'auto' | 'cpu' | 'cuda', precision: 'float32' | 'int8') =>
  defaultReadingConfig({ provider, model: { precision } });

test('8-bit integers run on the CPU, which auto then means, and no other provider may be named', () => {
  expect(providerOf(configured('auto', 'int8'))).toBe('cpu');
  expect(providerOf(configured('cpu', 'int8'))).toBe('cpu');
  expect(() => providerOf(configured('cuda', 'int8'))).toThrow(/config-invalid.*provider.*int8/);
});

test('the network as it was trained runs on what was asked for', () => {
  for (const provider of ['auto', 'cpu', 'cuda'] as const) {
    expect(providerOf(configured(provider, 'float32'))).toBe(provider);
  }
});
