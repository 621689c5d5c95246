import { Failure } from '../core/failure.ts';
import { onnxField } from './onnx-schema.ts';
import { contentsOf, type Range } from './protobuf-fields.ts';

/** Where the numbers of an initializer lie in an ONNX file, so that they can be replaced and every other byte stays. */

const { graphOfModel, initializerOfGraph, nameOfTensor, rawDataOfTensor } = onnxField;

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
  for (const graph of contentsOf(bytes, { start: 0, end: bytes.length }, graphOfModel)) {
    for (const tensor of contentsOf(bytes, graph, initializerOfGraph)) {
      const [name] = contentsOf(bytes, tensor, nameOfTensor);
      const [data] = contentsOf(bytes, tensor, rawDataOfTensor);
      if (name && data) places.set(Buffer.from(bytes.subarray(name.start, name.end)).toString('utf8'), data);
    }
  }
  return places;
}
