import { readFileSync, statSync } from 'node:fs';
import { Failure } from '../core/failure.ts';
import type { FilmReading, FilmRequest } from '../core/ports.ts';
import { decide } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { parsePart10 } from '../dicom/part10.ts';
import { pixelDigest, radiograph, storedPixels } from '../dicom/pixels.ts';
import { regionOf } from '../model/grad-cam.ts';
import type { LoadedModel } from '../model/manifest.ts';
import { drawOverlay } from '../model/overlay.ts';
import type { Network } from '../model/session.ts';
import { preprocess } from '../model/tensor.ts';

/** One film from file to reading: parse → decode → LUTs → tensor → network → Grad-CAM → overlay. Runs in the child. */

export interface ReadingRoom {
  readonly model: LoadedModel;
  readonly network: Network;
}

/** A frame of the largest size at 32 bits, and its header. */
const mostFileBytes = 264 * 1024 * 1024;
const sopInstanceUidTag = '00080018';

export function readHeader(path: string): Dataset {
  return parsePart10(readBytes(path)).header;
}

export async function readFilm(request: FilmRequest, { model, network }: ReadingRoom): Promise<FilmReading> {
  const { path, expectedSOPInstanceUID, settings } = request;
  const { manifest, identity } = model;
  const part10 = parsePart10(readBytes(path));
  checkObject(part10.header, expectedSOPInstanceUID);
  const stored = await storedPixels(part10);
  const film = radiograph(part10, stored);
  const { tensor, geometry } = preprocess(film, manifest.preprocess);
  const { probabilities, map } = await network.infer(tensor);
  const score = probabilities[1];
  const decision = decide(score, settings.operatingPoint);
  const picture = await drawOverlay({
    radiograph: film,
    map,
    geometry,
    maxSide: settings.heatmapMaxSide,
    verdict: {
      model: identity,
      score,
      decision,
      operatingPoint: settings.operatingPoint,
      flagSuspectedCovid: settings.flagSuspectedCovid,
      heatMax: manifest.heat.max,
    },
  });
  return {
    header: part10.header,
    pixelDigest: pixelDigest(stored),
    score,
    map,
    region: regionOf(map, geometry, decision),
    picture,
    flags: part10.flags,
  };
}

function readBytes(path: string): Uint8Array {
  const bytes = sizeOf(path);
  if (bytes > mostFileBytes) {
    throw new Failure('limit-exceeded', {
      where: 'size of the file',
      expected: `at most ${mostFileBytes} bytes`,
      got: String(bytes),
    });
  }
  return readFileSync(path);
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new Failure('not-dicom', { where: 'file', got: 'no file that can be read' });
  return found.size;
}

/** An archive that answers with another object must not get its score written under the UID that was asked for. */
function checkObject(header: Dataset, expected: string | null): void {
  const got = header[sopInstanceUidTag]?.Value?.[0];
  if (expected !== null && got !== expected) throw new Failure('wrong-object', { where: 'SOPInstanceUID' });
}
