import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Failure } from '../core/failure.ts';
import { fail, type Peer } from './statuses.ts';

/** The body of an answer: decoded, counted, whole or a Failure. */

export interface BodyRules {
  readonly peer: Peer;
  readonly where: string;
  /** Most bytes, after content decoding. */
  readonly maxBytes: number;
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  /** Called once the body is read, refused or given up. */
  readonly done: () => void;
}

const noop = () => {};

/**
 * The bytes as they arrive. `contentEncoding` may be gzip, deflate or br although we ask for none: some proxies do not care.
 * Raises `-too-large`, `-timeout` or `-incomplete`; a body that ends early never ends normally.
 */
export async function* readBody(
  stream: Readable,
  contentEncoding: string | null,
  rules: BodyRules,
): AsyncGenerator<Uint8Array, void, void> {
  const { peer, where, maxBytes } = rules;
  let bytes = 0;
  try {
    for await (const chunk of decoded(stream, contentEncoding, rules) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw fail(peer, 'too-large', { where, expected: `at most ${maxBytes} bytes`, got: 'more' });
      yield chunk;
    }
  } catch (thrown) {
    throw bodyFailure(thrown, bytes, rules);
  } finally {
    stream.on('error', noop).destroy();
    rules.done();
  }
}

function decoded(stream: Readable, contentEncoding: string | null, { peer, where }: BodyRules): Readable {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return stream;
  const decoder = decoderOf(encoding);
  if (!decoder)
    throw fail(peer, 'strange', { where, expected: 'identity, gzip, deflate or br', got: 'another content encoding' });
  // The error of either stream reaches the reader through the decoder.
  return pipeline(stream, decoder, noop);
}

function decoderOf(encoding: string) {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  if (encoding === 'deflate') return createInflate();
  return encoding === 'br' ? createBrotliDecompress() : null;
}

function bodyFailure(thrown: unknown, bytes: number, { peer, where, signal }: BodyRules): Failure {
  if (thrown instanceof Failure) return thrown;
  if (signal.aborted)
    return fail(peer, 'timeout', { where, expected: 'the whole body in time', got: `${bytes} bytes` });
  return fail(peer, 'incomplete', { where, expected: 'the whole body', got: `an end after ${bytes} bytes` });
}

/** All bytes in one piece. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
