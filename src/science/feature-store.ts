import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../core/ids.ts';
import type { Manifest } from '../model/manifest.ts';

/** Features that were taken once, so that a run that was cut short goes on where it stopped. */

export interface FeatureStore {
  /** Null when the film was not yet seen, or its record is damaged. */
  get(fileDigest: string): Float32Array | null;
  /** Whole or not at all. */
  put(fileDigest: string, features: Float32Array): void;
}

/** Rises when the reader's way from file to tensor changes: what was taken before is then taken anew. */
const generation = 1;

/**
 * One file a film, named by the digest of its bytes, in a folder named by what the features hang on: the weights of the backbone
 * and its preprocessing. A record holds the features as float32, little endian, and their SHA-256.
 */
export function openFeatureStore(folder: string, manifest: Manifest): FeatureStore {
  const recipe = JSON.stringify([generation, manifest.preprocess, manifest.outputs.features]);
  const own = join(folder, `${manifest.weights.sha256}-${sha256(recipe).slice(0, 16)}`);
  const bytes = manifest.outputs.features.shape[1] * Float32Array.BYTES_PER_ELEMENT;
  mkdirSync(own, { recursive: true });
  const pathOf = (fileDigest: string) => join(own, `${fileDigest}.f32`);
  return {
    get: (fileDigest) => parseRecord(readRecord(pathOf(fileDigest)), bytes),
    put: (fileDigest, features) => {
      const data = Buffer.from(features.buffer, features.byteOffset, features.byteLength);
      const path = pathOf(fileDigest);
      writeFileSync(`${path}.${process.pid}`, Buffer.concat([data, Buffer.from(sha256(data), 'hex')]));
      renameSync(`${path}.${process.pid}`, path);
    },
  };
}

function readRecord(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

function parseRecord(record: Buffer | null, bytes: number): Float32Array | null {
  if (!record || record.length !== bytes + 32) return null;
  const data = record.subarray(0, bytes);
  if (sha256(data) !== record.subarray(bytes).toString('hex')) return null;
  return new Float32Array(Uint8Array.from(data).buffer);
}
