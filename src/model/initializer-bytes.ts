import protobuf from 'protobufjs';
import { Failure } from '../core/failure.ts';

/** Where the numbers of an initializer lie in an ONNX file, so that they can be replaced and every other byte stays. */

/** Field numbers of onnx.proto3. */
const graphOfModel = 7;
const initializerOfGraph = 5;
const nameOfTensor = 8;
const rawDataOfTensor = 9;
const lengthDelimited = 2;

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * A copy of the file in which the raw data of the named initializers is replaced, byte for byte.
 * Raises `model-unusable` when one is not there, holds no raw data, or is of another length.
 */
export function withRawData(bytes: Uint8Array, replacements: ReadonlyMap<string, Float32Array>): Uint8Array {
  const places = rawDataPlaces(bytes);
  const changed = Uint8Array.from(bytes);
  for (const [name, values] of replacements) {
    const place = places.get(name);
    const got = place ? `${place.end - place.start} bytes` : 'none';
    if (!place || place.end - place.start !== values.byteLength) {
      const where = `initializer ${name} of the graph`;
      throw new Failure('model-unusable', { where, expected: `${values.byteLength} bytes of raw data`, got });
    }
    const view = new DataView(changed.buffer, place.start, values.byteLength);
    values.forEach((value, index) => {
      view.setFloat32(4 * index, value, true);
    });
  }
  return changed;
}

function rawDataPlaces(bytes: Uint8Array): ReadonlyMap<string, Range> {
  const places = new Map<string, Range>();
  for (const graph of fieldsOf(bytes, { start: 0, end: bytes.length }, graphOfModel)) {
    for (const tensor of fieldsOf(bytes, graph, initializerOfGraph)) {
      const [name] = fieldsOf(bytes, tensor, nameOfTensor);
      const [data] = fieldsOf(bytes, tensor, rawDataOfTensor);
      if (name && data) places.set(Buffer.from(bytes.subarray(name.start, name.end)).toString('utf8'), data);
    }
  }
  return places;
}

/** Contents of the length-delimited fields of one number in a message. */
function fieldsOf(bytes: Uint8Array, { start, end }: Range, wanted: number): readonly Range[] {
  const reader = protobuf.Reader.create(bytes);
  reader.skip(start);
  const found: Range[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 !== wanted || (tag & 7) !== lengthDelimited) {
      reader.skipType(tag & 7);
      continue;
    }
    const length = reader.uint32();
    found.push({ start: reader.pos, end: reader.pos + length });
    reader.skip(length);
  }
  return found;
}
