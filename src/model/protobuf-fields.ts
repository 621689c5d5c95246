import protobuf from 'protobufjs';

/** Protocol buffers as bytes: what lies where in a message, and messages put together of pieces without a copy in between. */

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Field {
  readonly number: number;
  /** The field with its tag and length. */
  readonly whole: Range;
  /** Content of a length-delimited field; null for the other wire types. */
  readonly content: Range | null;
}

const lengthDelimited = 2;

/** The fields of a message, in their order. Raises when the bytes are no message. */
export function fieldsOf(bytes: Uint8Array, { start, end }: Range): readonly Field[] {
  const reader = protobuf.Reader.create(bytes);
  reader.skip(start);
  const found: Field[] = [];
  while (reader.pos < end) {
    const at = reader.pos;
    const tag = reader.uint32();
    if ((tag & 7) === lengthDelimited) {
      const length = reader.uint32();
      const from = reader.pos;
      reader.skip(length);
      found.push({
        number: tag >>> 3,
        whole: { start: at, end: reader.pos },
        content: { start: from, end: reader.pos },
      });
    } else {
      reader.skipType(tag & 7);
      found.push({ number: tag >>> 3, whole: { start: at, end: reader.pos }, content: null });
    }
  }
  return found;
}

/** Contents of the length-delimited fields of one number in a message. */
export function contentsOf(bytes: Uint8Array, range: Range, wanted: number): readonly Range[] {
  return fieldsOf(bytes, range).flatMap(({ number, content }) => (number === wanted && content ? content : []));
}

/** Bytes that are there, or bytes that are made when they are written. */
export type Piece = Uint8Array | { readonly length: number; readonly write: (target: Uint8Array) => void };

/** A length-delimited field with these pieces as its content. */
export function delimited(number: number, content: readonly Piece[]): readonly Piece[] {
  const head = protobuf.Writer.create();
  head.uint32((number << 3) | lengthDelimited).uint32(lengthOf(content));
  return [head.finish(), ...content];
}

/** All pieces in one array that is allocated once: a network of 170 MB is not held twice. */
export function joined(pieces: readonly Piece[]): Uint8Array {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) bytes.set(piece, at);
    else piece.write(bytes.subarray(at, at + piece.length));
    at += piece.length;
  }
  return bytes;
}

const lengthOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { length }) => sum + length, 0);
