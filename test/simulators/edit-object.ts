/** Changes one short value in a PS3.10 file in explicit VR, as an archive does that merges, moves or coerces. */

const tags = {
  PatientID: [0x0010, 0x0020, 'LO'],
  StudyInstanceUID: [0x0020, 0x000d, 'UI'],
  SeriesInstanceUID: [0x0020, 0x000e, 'UI'],
  SOPInstanceUID: [0x0008, 0x0018, 'UI'],
} as const;

export type Editable = keyof typeof tags;

/** A copy with another value in the first element of this name, which is the one of the data set itself. Raises when there is none. */
export function editObject(bytes: Uint8Array, keyword: Editable, value: string): Buffer {
  const file = Buffer.from(bytes);
  const [group, element, vr] = tags[keyword];
  const head = Buffer.alloc(6);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(element, 2);
  head.write(vr, 4, 'latin1');
  const at = file.indexOf(head, 132);
  if (at < 0) throw new Error(`the object has no ${keyword} in explicit VR`);
  const oldLength = file.readUInt16LE(at + 6);
  const text = Buffer.from(value, 'latin1');
  const padding = text.length % 2 === 0 ? '' : vr === 'UI' ? '\0' : ' ';
  const padded = Buffer.concat([text, Buffer.from(padding, 'latin1')]);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  const edited = Buffer.concat([file.subarray(0, at + 6), length, padded, file.subarray(at + 8 + oldLength)]);
  return keyword === 'SOPInstanceUID' ? renameMeta(edited, value) : edited;
}

/** Media Storage SOP Instance UID (0002,0003) and the length of its group (0002,0000), PS3.10 7.1. */
function renameMeta(file: Buffer, uid: string): Buffer {
  const at = file.indexOf(Buffer.from([0x02, 0x00, 0x03, 0x00, 0x55, 0x49]), 132);
  const oldLength = file.readUInt16LE(at + 6);
  const padded = Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  const renamed = Buffer.concat([file.subarray(0, at + 6), length, padded, file.subarray(at + 8 + oldLength)]);
  const groupLength = renamed.readUInt32LE(140) + padded.length - oldLength;
  renamed.writeUInt32LE(groupLength, 140);
  return renamed;
}
