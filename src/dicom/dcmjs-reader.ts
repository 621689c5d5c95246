import type { Attribute, Dataset } from '../core/study.ts';
import { type DcmjsDataset, DicomMessage } from './dcmjs.ts';

/** Values of a canonical header, read by dcmjs. It never meets bytes that a stranger wrote. */

/** Preamble and file meta information for Explicit VR Little Endian, as dcmjs wants to see them before a data set. */
const prefix = Buffer.concat([
  Buffer.alloc(128),
  Buffer.from('DICM'),
  Buffer.from([2, 0, 0, 0]),
  Buffer.from('UL'),
  Buffer.from([4, 0, 28, 0, 0, 0]),
  Buffer.from([2, 0, 0x10, 0]),
  Buffer.from('UI'),
  Buffer.from([20, 0]),
  Buffer.from('1.2.840.10008.1.2.1\0'),
]);

/** The data set of a block that `encodeCanonical` made. */
export function readCanonical(block: Buffer): Dataset {
  const file = new Uint8Array(prefix.length + block.length);
  file.set(prefix);
  file.set(block, prefix.length);
  return fromDcmjs(DicomMessage.readFile(file.buffer).dict);
}

function fromDcmjs(dict: DcmjsDataset): Dataset {
  const dataset: Record<string, Attribute> = Object.create(null);
  for (const [tag, { vr, Value = [] }] of Object.entries(dict)) {
    // It says how the block was encoded, and nothing of the file (PS3.18 F.2: JSON is UTF-8).
    if (tag !== '00080005') dataset[tag] = { vr, Value: Value.flatMap((value) => plainValue(vr, value)) };
  }
  return dataset;
}

function plainValue(vr: string, value: unknown): unknown {
  if (vr === 'SQ') return fromDcmjs(value as DcmjsDataset);
  if (vr === 'OW') return [...new Uint16Array(value as ArrayBuffer)];
  return vr === 'PN' ? { ...(value as object) } : value;
}
