import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the gateway sent, object by object: read out of its STOW requests with nothing of its own code. */

interface SentObject {
  readonly uid: string;
  readonly sha256: string;
}

/** The objects of a `multipart/related` body, as it came over the wire. */
function objectsSent(body: Buffer, contentType: string): readonly SentObject[] {
  const boundary = /boundary="?([^";,\s]+)/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error('a STOW request without a boundary');
  const objects: SentObject[] = [];
  const delimiter = Buffer.from(`--${boundary}`);
  for (let at = body.indexOf(delimiter); ; ) {
    const next = body.indexOf(Buffer.concat([Buffer.from('\r\n'), delimiter]), at);
    if (at < 0 || next < 0) return objects;
    const bytes = body.subarray(body.indexOf('\r\n\r\n', at) + 4, next);
    objects.push({ uid: sopInstanceUid(bytes), sha256: createHash('sha256').update(bytes).digest('hex') });
    at = next + 2;
  }
}

/** Adds the objects of a STOW request to the evidence of a run, in the order in which they were sent. */
export function noteSent(folder: string, body: Buffer, contentType: string): void {
  const lines = objectsSent(body, contentType).map((object) => `${JSON.stringify(object)}\n`);
  appendFileSync(join(folder, 'sent.jsonl'), lines.join(''));
}

/** The first (0008,0018) of an explicit VR little endian file. */
function sopInstanceUid(file: Buffer): string {
  const at = file.indexOf(Buffer.from([0x08, 0x00, 0x18, 0x00, 0x55, 0x49]));
  if (at < 0) throw new Error('a STOW request with a part that has no SOP Instance UID');
  const length = file.readUInt16LE(at + 6);
  return file.toString('latin1', at + 8, at + 8 + length).replace(/\0$/, '');
}
