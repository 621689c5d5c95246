import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import { credentialsOf, peerOptionsSchema } from '../../src/net/options.ts';

describe('the credentials of a server', () => {
  test.each([
    [{}, { kind: 'none' }],
    [
      { username: 'u', password: 'p' },
      { kind: 'basic', username: 'u', password: 'p' },
    ],
    [{ token: 't' }, { kind: 'bearer', token: 't' }],
  ])('are %p', (options, credentials) => {
    expect(credentialsOf(options, 'pacs')).toEqual(credentials);
  });

  test.each([
    [{ username: 'u' }, 'pacs.password'],
    [{ password: 'canary' }, 'pacs.username'],
    [{ username: 'u', password: 'canary', token: 't' }, 'pacs'],
    [{ password: 'canary', token: 't' }, 'pacs'],
  ])('are refused half or double, because one of them would silently not be sent: %p', (options, where) => {
    expect(() => credentialsOf(options, 'pacs')).toThrow(Failure);
    try {
      credentialsOf(options, 'pacs');
    } catch (thrown) {
      expect((thrown as Failure).detail.where).toBe(where);
      expect((thrown as Failure).message).not.toContain('canary');
    }
  });
});

describe('a server in the configuration', () => {
  test('needs nothing but its address', () => {
    expect(peerOptionsSchema.parse({ url: 'http://127.0.0.1:8042/dicom-web' })).toEqual({
      url: 'http://127.0.0.1:8042/dicom-web',
      timeoutSeconds: 60,
      maxInFlight: 2,
    });
  });

  test.each([
    { url: 'ftp://pacs/' },
    { url: 'pacs' },
    { url: 'http://pacs/', user: 'u' },
    { url: 'http://pacs/', maxInFlight: 0 },
  ])('is refused when it cannot be asked: %p', (options) => {
    expect(peerOptionsSchema.safeParse(options).success).toBe(false);
  });
});
