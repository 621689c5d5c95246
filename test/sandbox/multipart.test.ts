import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mediaParameter, readMultipart, writeMultipart } from '../../src/sandbox/multipart.ts';

const type = (boundary: string) => `multipart/related; type="application/dicom"; boundary=${boundary}`;

describe('multipart bodies', () => {
  test('any bytes survive writing and reading, because pixels may hold everything but the delimiter line', () => {
    const part = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const read = readMultipart(writeMultipart(parts, 'application/dicom', 'b0undary'), type('b0undary'));
        expect(read?.map(({ bytes }) => Buffer.from(bytes))).toEqual(parts.map((bytes) => Buffer.from(bytes)));
      }),
    );
  });

  test.each([
    ['no boundary in the media type', '--b\r\n\r\nx\r\n--b--', 'multipart/related'],
    ['no closing line', '--b\r\n\r\nx\r\n', type('b')],
    ['no delimiter at all', 'x', type('b')],
    ['a part whose header never ends', '--b\r\nContent-Type: x\r\n--b--', type('b')],
  ])('%s is a broken body', (_why, body, contentType) => {
    expect(readMultipart(Buffer.from(body), contentType)).toBeNull();
  });

  test('a boundary counts only as a whole line', () => {
    const body = Buffer.from('--b\r\n\r\nx--b--y\r\n--bb\r\nz\r\n--b--');
    expect(readMultipart(body, type('b'))?.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
      'x--b--y\r\n--bb\r\nz',
    ]);
  });

  test('parameters are read quoted and bare', () => {
    expect(mediaParameter('multipart/related; boundary="a b"; type=x', 'boundary')).toBe('a b');
    expect(mediaParameter('multipart/related; boundary="a b"; type=x', 'type')).toBe('x');
    expect(mediaParameter('multipart/related', 'type')).toBeNull();
  });
});
