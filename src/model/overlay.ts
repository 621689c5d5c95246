import sharp, { type JpegOptions } from 'sharp';
import type { ActivationMap, Picture } from '../core/reading.ts';
import type { Radiograph } from '../core/study.ts';
import { heatColour, lastPaint, paints } from './colour.ts';
import type { Axis, Geometry } from './geometry.ts';
import { smoothMap } from './grad-cam.ts';
import { leastImportant, legendLines, mostImportant, type Verdict } from './legend.ts';
import { type Label, letter } from './lettering.ts';
import { type Plane, resample } from './resample.ts';

/** The picture that goes beside the report: the film in grey, the heat-map over it, a legend below. */

export interface OverlayRequest {
  readonly radiograph: Radiograph;
  readonly map: ActivationMap;
  readonly geometry: Geometry;
  readonly verdict: Verdict;
  /** Longest side of the picture, legend included, pixels. */
  readonly maxSide: number;
}

/** Measures of the picture, pixels. */
interface Layout {
  readonly columns: number;
  readonly rows: number;
  /** The film stands in the middle at the top. */
  readonly film: { readonly left: number; readonly columns: number; readonly rows: number };
  readonly letterSize: number;
  readonly lineHeight: number;
  readonly margin: number;
}

/** Letters of 16 pixels on a picture of 1,024, and never below 9. */
const letterShare = 1 / 64;
const smallestLetter = 9;
/** The bar and at most seven lines. */
const legendRows = 8;
/** A narrow film gets black beside it, so that the legend can be read. */
const narrowestInLetters = 36;
/** Huffman tables of its own would make a picture a twentieth smaller and take longer than all the rest of writing it. */
const jpegOptions: JpegOptions = { quality: 88, chromaSubsampling: '4:4:4', optimiseCoding: false };

/** Draws the picture. The film keeps its aspect, that of its pixels included. */
export async function drawOverlay(request: OverlayRequest): Promise<Picture> {
  const layout = layoutFor(request.radiograph, request.maxSide);
  const { columns, rows } = layout;
  const canvas = new Uint8ClampedArray(columns * rows * 3);
  paintFilm(canvas, layout, request);
  const labels = [...(await barAndLabels(canvas, layout)), ...(await textLabels(layout, request.verdict))];
  for (const label of labels) lay(label, canvas, columns);
  const jpeg = await sharp(canvas, { raw: { width: columns, height: rows, channels: 3 } })
    .jpeg(jpegOptions)
    .toBuffer();
  return { columns, rows, rgb: new Uint8Array(canvas.buffer), jpeg: new Uint8Array(jpeg) };
}

export function layoutFor({ columns, rows, pixelAspect }: Radiograph, maxSide: number): Layout {
  const letterSize = Math.max(smallestLetter, Math.round(maxSide * letterShare));
  const lineHeight = Math.ceil(letterSize * 1.3);
  const margin = Math.ceil(letterSize / 2);
  const legend = legendRows * lineHeight + 2 * margin;
  const height = rows * pixelAspect;
  const scale = Math.min(maxSide / columns, (maxSide - legend) / height);
  const film = { columns: Math.max(1, Math.round(columns * scale)), rows: Math.max(1, Math.round(height * scale)) };
  const width = Math.max(film.columns, Math.min(maxSide, narrowestInLetters * letterSize));
  return {
    columns: width,
    rows: film.rows + legend,
    film: { ...film, left: Math.floor((width - film.columns) / 2) },
    letterSize,
    lineHeight,
    margin,
  };
}

function paintFilm(canvas: Uint8ClampedArray, { columns, film }: Layout, request: OverlayRequest): void {
  const { radiograph, map, geometry, verdict } = request;
  const source: Plane = { columns: radiograph.columns, rows: radiograph.rows, values: radiograph.pixels };
  const grey = levelsOf(resample(source, film.columns, film.rows, 'bicubic'));
  const heat = heatPlane(map, geometry, film);
  const scale = lastPaint / verdict.heatMax;
  for (let y = 0; y < film.rows; y++) {
    const [from, to] = [y * film.columns, (y + 1) * film.columns];
    paintLine(canvas, (y * columns + film.left) * 3, grey.subarray(from, to), heat.subarray(from, to), scale);
  }
}

function paintLine(
  canvas: Uint8ClampedArray,
  first: number,
  grey: Uint8ClampedArray,
  heat: Float32Array,
  scale: number,
): void {
  for (let x = 0, at = first; x < grey.length; x++, at += 3) {
    const step = heat[x]! * scale;
    const paint = paints[step < lastPaint ? step | 0 : lastPaint]!;
    const level = grey[x]! * paint.film;
    canvas[at] = level + paint.red;
    canvas[at + 1] = level + paint.green;
    canvas[at + 2] = level + paint.blue;
  }
}

/** Grey levels of a plane from 0 to 1; what the kernel overshot is cut off. */
function levelsOf({ values }: Plane): Uint8ClampedArray {
  const levels = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) levels[i] = values[i]! * 255;
  return levels;
}

/** The map on the pixels of the drawn film: 0 where a crop kept the network from looking. */
function heatPlane(map: ActivationMap, geometry: Geometry, film: Layout['film']): Float32Array {
  const [left, right] = seen(geometry.x, film.columns);
  const [top, bottom] = seen(geometry.y, film.rows);
  const smooth = smoothMap(map, right - left, bottom - top);
  const heat = new Float32Array(film.columns * film.rows);
  for (let y = top; y < bottom; y++) {
    const line = smooth.values.subarray((y - top) * smooth.columns, (y - top + 1) * smooth.columns);
    heat.set(line, y * film.columns + left);
  }
  return heat;
}

/** First and last pixel (exclusive) of the drawn film that the network saw. */
function seen({ start, scale, length, sourceLength }: Axis, drawn: number): readonly [number, number] {
  const at = (source: number) => Math.min(drawn, Math.max(0, Math.round((source / sourceLength) * drawn)));
  const first = Math.min(drawn - 1, at(start));
  return [first, Math.max(first + 1, at(start + length * scale))];
}

/** A label and its place on the picture, pixels. */
interface Placed {
  readonly label: Label;
  readonly left: number;
  readonly top: number;
}

/** Lays a label over what is painted there already. */
function lay({ label: { rgba, columns, rows }, left, top }: Placed, canvas: Uint8ClampedArray, width: number): void {
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const from = (y * columns + x) * 4;
      const to = ((top + y) * width + left + x) * 3;
      const cover = rgba[from + 3]! / 255;
      for (let channel = 0; channel < 3; channel++)
        canvas[to + channel] = cover * rgba[from + channel]! + (1 - cover) * canvas[to + channel]!;
    }
  }
}

/** "least important", the colours as they look on a mid-grey film, "most important". */
async function barAndLabels(canvas: Uint8ClampedArray, layout: Layout): Promise<readonly Placed[]> {
  const { columns, film, letterSize, lineHeight, margin } = layout;
  const quarter = Math.floor(columns / 4);
  const [least, most] = await Promise.all([
    letter(leastImportant, letterSize, quarter),
    letter(mostImportant, letterSize, quarter),
  ]);
  const top = film.rows + margin;
  const left = 2 * margin + least.columns;
  const right = columns - 2 * margin - most.columns;
  for (let y = top; y < top + lineHeight - margin / 2; y++) {
    for (let x = left; x < right; x++) canvas.set(heatColour((x - left) / (right - 1 - left)), (y * columns + x) * 3);
  }
  return [
    { label: least, left: margin, top },
    { label: most, left: columns - margin - most.columns, top },
  ];
}

async function textLabels(layout: Layout, verdict: Verdict): Promise<readonly Placed[]> {
  const { columns, film, letterSize, lineHeight, margin } = layout;
  const lines = legendLines(verdict);
  const labels = await Promise.all(lines.map((line) => letter(line, letterSize, columns - 2 * margin)));
  return labels.map((label, i) => ({ label, left: margin, top: film.rows + margin + (i + 1) * lineHeight }));
}
