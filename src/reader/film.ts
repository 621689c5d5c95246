import { Failure } from '../core/failure.ts';
import { letGo } from '../core/let-go.ts';
import type { FilmRequest } from '../core/ports.ts';
import { decide } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { type Part10, parsePart10 } from '../dicom/part10.ts';
import { pixelDigest } from '../dicom/pixels.ts';
import { regionOf } from '../model/grad-cam.ts';
import { hottestZone, windowOf } from '../model/hottest.ts';
import { expectChest } from '../model/pixel-gate.ts';
import { readBytes } from './file.ts';
import { hangFilm } from './hanging.ts';
import { drawReading, look, type ReadingRoom } from './look.ts';
import type { ChildReading } from './messages.ts';

/** One film from file to reading: parse → decode → LUTs → hang → pixel gate → tensor → network → Grad-CAM → overlay. Runs in the child. */

const sopInstanceUidTag = '00080018';
const specificCharacterSetTag = '00080005';

export function readHeader(path: string): Dataset {
  return parsePart10(readBytes(path)).header;
}

export async function readFilm(request: FilmRequest, room: ReadingRoom): Promise<ChildReading> {
  const { path, expectedSOPInstanceUID, settings } = request;
  const file = readBytes(path);
  const part10 = parsePart10(file);
  checkObject(part10.header, expectedSOPInstanceUID);
  const { film, stored, inSource } = await hangFilm(part10, settings);
  expectChest(film);
  const seen = await look(film, room);
  const { score, map, geometry } = seen;
  const reading = {
    header: withCharacterSet(part10),
    pixelDigest: pixelDigest(stored),
    score,
    map,
    region: regionOf(map, geometry, decide(score, settings.operatingPoint)).map(inSource),
    zone: hottestZone(map, windowOf(geometry)),
    picture: await drawReading(seen, settings, room),
    flags: part10.flags,
  };
  letGo(file, stored.values, film.pixels);
  return reading;
}

/** The header names the character set of its file, which results may be written in; its text is in Unicode already. */
const withCharacterSet = ({ header, characterSet }: Part10): Dataset => ({
  ...header,
  [specificCharacterSetTag]: { vr: 'CS', Value: characterSet },
});

/** An archive that answers with another object must not get its score written under the UID that was asked for. */
function checkObject(header: Dataset, expected: string | null): void {
  const got = header[sopInstanceUidTag]?.Value?.[0];
  if (expected !== null && got !== expected) throw new Failure('wrong-object', { where: 'SOPInstanceUID' });
}
