import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/core/failure.ts';
import { mediaTypeOf } from '../../src/dicom/media-type.ts';
import { readOnePart } from '../../src/dicom/multipart.ts';

/** Faults 28 and 30, T10: what counts as one whole part. */

const boundary = 'b-42';
const quoted = `multipart/related; type="application/dicom"; boundary="${boundary}"`;
const payload = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256));
const head = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
const end = `\r\n--${boundary}--\r\n`;

const bytes = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

async function* chunks(body: Buffer, size: number) {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

async function read(body: Buffer, { type = quoted, size = 700 } = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readOnePart(chunks(body, size), mediaTypeOf(type))) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

async function codeOf(body: Buffer, options?: { type?: string; size?: number }): Promise<string> {
  try {
    await read(body, options);
    return 'success';
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.code;
    throw thrown;
  }
}

describe('a part', () => {
  test.each([
    ['plain', bytes(head, payload, end), quoted],
    ['a bare boundary', bytes(head, payload, end), `multipart/related; boundary=${boundary}; type=application/dicom`],
    ['upper case in the header', bytes(head, payload, end), `Multipart/Related; BOUNDARY=${boundary}`],
    ['a preamble', bytes('To whom it may concern\r\n', head, payload, end), quoted],
    ['an empty line first', bytes('\r\n', head, payload, end), quoted],
    ['an epilogue', bytes(head, payload, end, 'That is all.'), quoted],
    ['no line end after the closing boundary', bytes(head, payload, `\r\n--${boundary}--`), quoted],
    ['blanks after the boundary', bytes(`--${boundary} \t\r\n\r\n`, payload, end), quoted],
    ['no headers', bytes(`--${boundary}\r\n\r\n`, payload, end), quoted],
    ['its length', bytes(`--${boundary}\r\nContent-Length: ${payload.length}\r\n\r\n`, payload, end), quoted],
    ['an octet stream', bytes(`--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`, payload, end), quoted],
    [
      'many headers',
      bytes(
        `--${boundary}\r\nMIME-Version: 1.0\r\nContent-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.4.91\r\nContent-Location: x\r\n\r\n`,
        payload,
        end,
      ),
      quoted,
    ],
  ])('is read with %s, because some server sends it so (fault 30)', async (_name, body, type) => {
    for (const size of [1, 2, 7, 64, 100_000]) expect((await read(body, { type, size })).equals(payload)).toBe(true);
  });

  test.each([
    ['the letters of the boundary', `--${boundary}`],
    ['the boundary on a line, with more behind it', `\r\n--${boundary}X\r\n`],
    ['the boundary before a lone return', `\r\n--${boundary}\r`],
    ['dashes and line ends', '\r\n--\r\n----\r\n'],
  ])('keeps %s that stand amid its pixels', async (_name, letters) => {
    const inner = bytes(payload, letters, payload);
    expect((await read(bytes(head, inner, end))).equals(inner)).toBe(true);
  });

  test('with its length may hold even a whole closing boundary', async () => {
    const inner = bytes(payload, end, payload);
    const body = bytes(`--${boundary}\r\nContent-Length: ${inner.length}\r\n\r\n`, inner, end);
    expect((await read(body)).equals(inner)).toBe(true);
  });

  test('without its length is refused when a whole closing boundary stands amid its pixels, because it would be cut there', async () => {
    expect(await codeOf(bytes(head, payload, end, payload, end))).toBe('pacs-incomplete');
  });

  test('comes back as it was sent, whatever its bytes and however they arrive', async () => {
    const content = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom('\r\n', '--', `--${boundary}`, '\r', '\n').map((text) => Buffer.from(text)),
      ),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 50 }), async (parts, size) => {
        const inner = Buffer.concat(parts);
        fc.pre(inner.length > 0);
        const result = await read(bytes(`--${boundary}\r\nContent-Length: ${inner.length}\r\n\r\n`, inner, end), {
          size,
        });
        expect(result.equals(inner)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('an answer', () => {
  test.each([
    ['with its length', bytes(`--${boundary}\r\nContent-Length: ${payload.length}\r\n\r\n`, payload, end)],
    ['without its length', bytes(head, payload, end)],
  ])('cut anywhere is never whole: %s (fault 28, T10)', async (_name, body) => {
    const closed = body.length - 2;
    const cuts = [
      ...Array.from({ length: 80 }, (_, index) => index),
      ...Array.from({ length: 40 }, (_, index) => body.length - index),
    ];
    for (let cut = 0; cut < closed; cut += 97) cuts.push(cut);
    for (const cut of cuts.filter((at) => at < closed)) {
      expect([cut, await codeOf(body.subarray(0, cut))]).toEqual([cut, 'pacs-incomplete']);
    }
  });

  test.each([
    ['two parts', bytes(head, payload, `\r\n${head}`, payload, end)],
    ['no part', bytes(`--${boundary}--\r\n`)],
    ['an empty part', bytes(head, end)],
    [
      'a length that is too great',
      bytes(`--${boundary}\r\nContent-Length: ${payload.length + 1}\r\n\r\n`, payload, end),
    ],
    [
      'a length that is too small',
      bytes(`--${boundary}\r\nContent-Length: ${payload.length - 1}\r\n\r\n`, payload, end),
    ],
    ['a length that is no number', bytes(`--${boundary}\r\nContent-Length: -1\r\n\r\n`, payload, end)],
    ['an encoded part', bytes(`--${boundary}\r\nContent-Transfer-Encoding: base64\r\n\r\n`, payload, end)],
    ['line feeds alone', bytes(`--${boundary}\nContent-Type: application/dicom\n\n`, payload, `\n--${boundary}--\n`)],
    ['headers without an end', bytes(`--${boundary}\r\n`, 'X: y\r\n'.repeat(5000))],
    ['a preamble without an end', bytes('x'.repeat(50_000), head, payload, end)],
    ['another boundary than its header says', bytes(head.replace('42', '43'), payload, end.replace('42', '43'))],
    ['nothing', Buffer.alloc(0)],
  ])('with %s is refused, because one whole object was asked for', async (_name, body) => {
    expect(await codeOf(body)).toBe('pacs-incomplete');
  });

  test.each(['multipart/related', 'multipart/related; boundary=', `multipart/related; boundary=${'x'.repeat(300)}`])(
    'without a usable boundary is refused: %s',
    async (type) => {
      expect(await codeOf(bytes(head, payload, end), { type })).toBe('pacs-incomplete');
    },
  );

  test('whose part is a page is not DICOMweb', async () => {
    expect(await codeOf(bytes(`--${boundary}\r\nContent-Type: text/html\r\n\r\n<html>`, end))).toBe(
      'pacs-not-dicomweb',
    );
  });

  test('is given up when its reader stops, because its connection is needed', async () => {
    let closed = false;
    async function* endless() {
      try {
        yield Buffer.from(head);
        for (;;) yield payload;
      } finally {
        closed = true;
      }
    }
    for await (const _ of readOnePart(endless(), mediaTypeOf(quoted))) break;
    expect(closed).toBe(true);
  });
});

describe('a media type', () => {
  test.each([
    ['text/html; charset=utf-8', 'text/html', { charset: 'utf-8' }],
    ['Application/DICOM+json', 'application/dicom+json', {}],
    [
      'multipart/related; type="application/dicom; x=1"; boundary=a',
      'multipart/related',
      { type: 'application/dicom; x=1', boundary: 'a' },
    ],
    ['a/b; name="say \\"hi\\"; twice"', 'a/b', { name: 'say "hi"; twice' }],
    ['a/b; open="rest', 'a/b', { open: 'rest' }],
    ['a/b;;=x; twice=1; TWICE=2', 'a/b', { twice: '1' }],
    [null, '', {}],
  ])('is read leniently: %s', (header, type, parameters) => {
    const read = mediaTypeOf(header);
    expect(read.type).toBe(type);
    expect(Object.fromEntries(read.parameters)).toEqual(parameters);
  });
});
