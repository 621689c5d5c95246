import type { Examination, ExaminationHeader, ExaminationRequest } from '../core/examination.ts';
import { sha256 } from '../core/ids.ts';
import type { ContentSettings } from '../core/reading.ts';
import type { Dataset, Radiograph } from '../core/study.ts';
import { text } from '../dicom/dataset.ts';
import { limits } from '../dicom/limits.ts';
import { parsePart10 } from '../dicom/part10.ts';
import { windowOf } from '../model/hottest.ts';
import { pictureFormatOf, readPicture } from '../model/picture-file.ts';
import { readBytes } from './file.ts';
import { hangFilm } from './hanging.ts';
import { drawReading, look, type ReadingRoom } from './look.ts';

/** One file for science: score and features of a DICOM film, a JPEG or a PNG. Runs in the child. */

export async function examineFile(request: ExaminationRequest, room: ReadingRoom): Promise<Examination> {
  const bytes = readBytes(request.path);
  const { film, header } = await openFilm(bytes, request.settings);
  const seen = await look(film, room);
  return {
    score: seen.score,
    features: seen.features,
    map: seen.map,
    window: windowOf(seen.geometry),
    fileDigest: sha256(bytes),
    header,
    picture: request.picture ? await drawReading(seen, request.settings, room) : null,
  };
}

interface OpenFilm {
  readonly film: Radiograph;
  readonly header: ExaminationHeader | null;
}

async function openFilm(bytes: Uint8Array, settings: ContentSettings): Promise<OpenFilm> {
  if (pictureFormatOf(bytes) !== null) return { film: await readPicture(bytes, limits.pixels), header: null };
  const part10 = parsePart10(bytes);
  const { film } = await hangFilm(part10, settings);
  return { film, header: headerOf(part10.header) };
}

/** Longest value of an LO (PS3.5 6.2); files hold longer ones. */
const mostCharacters = 64;

function headerOf(header: Dataset): ExaminationHeader {
  const value = (keyword: keyof ExaminationHeader) => text(header, keyword)?.slice(0, mostCharacters) ?? null;
  return {
    ViewPosition: value('ViewPosition'),
    Manufacturer: value('Manufacturer'),
    ManufacturerModelName: value('ManufacturerModelName'),
  };
}
