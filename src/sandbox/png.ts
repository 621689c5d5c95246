import { crc32, deflateSync } from 'node:zlib';

/** Pixels of 8 bits, row by row: one sample (grey) or three (red, green, blue). */
export interface Pixels {
  readonly columns: number;
  readonly rows: number;
  readonly samples: 1 | 3;
  readonly bytes: Uint8Array;
}

/** A PNG file (ISO/IEC 15948) without filters: the one picture format that Node's zlib alone can write. */
export function writePng({ columns, rows, samples, bytes }: Pixels): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(columns, 0);
  header.writeUInt32BE(rows, 4);
  header.set([8, samples === 1 ? 0 : 2, 0, 0, 0], 8);
  const stride = columns * samples;
  const lines = Buffer.alloc(rows * (stride + 1));
  for (let row = 0; row < rows; row++) {
    lines.set(bytes.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), 4 + body.length);
  return frame;
}
