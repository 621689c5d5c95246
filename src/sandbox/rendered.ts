import type { Dataset } from '../core/study.ts';
import { code, items, number, numbers, text } from '../dicom/dataset.ts';
import { type Part10, parsePart10 } from '../dicom/part10.ts';
import { radiograph, storedPixels } from '../dicom/pixels.ts';
import type { StoredObject } from './archive-store.ts';
import { escapeHtml } from './fhir-page.ts';
import { type Pixels, writePng } from './png.ts';

/** Rendered resources (PS3.18 8.7.4) for a person to look at: pictures as PNG, structured reports as a page of text. */

export interface Rendered {
  readonly mediaType: 'image/png' | 'text/html;charset=utf-8';
  readonly body: Buffer;
}

/** Longest side of a picture, pixels. */
const longestSide = 1280;

/** Null for what is neither a grey radiograph, an RGB picture nor a structured report. */
export async function renderObject({ bytes }: StoredObject): Promise<Rendered | null> {
  const part10 = parsePart10(bytes);
  if (items(part10.header, 'ContentSequence').length > 0) {
    return { mediaType: 'text/html;charset=utf-8', body: Buffer.from(reportPage(part10.header)) };
  }
  const pixels = colourPixels(part10) ?? (await greyPixels(part10));
  return pixels && { mediaType: 'image/png', body: Buffer.from(writePng(pixels)) };
}

function colourPixels({ header, pixelData }: Part10): Pixels | null {
  if (text(header, 'PhotometricInterpretation') !== 'RGB' || !pixelData || pixelData.fragments !== null) return null;
  const [columns, rows] = [number(header, 'Columns') ?? 0, number(header, 'Rows') ?? 0];
  const isInterleaved = (number(header, 'PlanarConfiguration') ?? 0) === 0 && number(header, 'BitsAllocated') === 8;
  const fits = columns > 0 && rows > 0 && pixelData.bytes.length >= columns * rows * 3;
  return isInterleaved && fits ? { columns, rows, samples: 3, bytes: pixelData.bytes } : null;
}

async function greyPixels(part10: Part10): Promise<Pixels | null> {
  try {
    const { columns, rows, pixels } = radiograph(part10, await storedPixels(part10));
    const factor = Math.max(1, Math.ceil(Math.max(columns, rows) / longestSide));
    const [width, height] = [Math.floor(columns / factor), Math.floor(rows / factor)];
    const bytes = new Uint8Array(width * height);
    for (let row = 0, index = 0; row < height; row++) {
      for (let column = 0; column < width; column++, index++) {
        bytes[index] = Math.round(255 * meanAt(pixels, columns, column * factor, row * factor, factor));
      }
    }
    return { columns: width, rows: height, samples: 1, bytes };
  } catch {
    return null;
  }
}

function meanAt(pixels: Float32Array, columns: number, left: number, top: number, size: number): number {
  let sum = 0;
  for (let row = top; row < top + size; row++) {
    for (let column = left; column < left + size; column++) sum += pixels[row * columns + column]!;
  }
  return sum / (size * size);
}

function reportPage(header: Dataset): string {
  const title = nameOf(header) || 'Structured report';
  const head =
    '<meta charset="utf-8"><style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}ul{padding-left:1.25rem}b{font-weight:600}</style>';
  return `<!doctype html><html lang="en">${head}<title>${escapeHtml(title)}</title><h1>${escapeHtml(title)}</h1>${tree(header)}</html>`;
}

function tree(item: Dataset): string {
  const children = items(item, 'ContentSequence');
  if (children.length === 0) return '';
  const lines = children.map((child) => {
    const [name, value] = [escapeHtml(nameOf(child)), escapeHtml(contentOf(child))];
    return `<li>${name}${name && value ? ': ' : ''}<b>${value}</b>${tree(child)}</li>`;
  });
  return `<ul>${lines.join('')}</ul>`;
}

function nameOf(item: Dataset): string {
  const [name] = items(item, 'ConceptNameCodeSequence');
  return (name && code(name)?.CodeMeaning) ?? '';
}

/** The value of a content item in words; empty for containers (PS3.3 C.17.3). */
function contentOf(item: Dataset): string {
  const [concept] = items(item, 'ConceptCodeSequence');
  const [measured] = items(item, 'MeasuredValueSequence');
  const [object] = items(item, 'ReferencedSOPSequence');
  const plain = (['TextValue', 'UID', 'PersonName', 'Date', 'Time'] as const).map((keyword) => text(item, keyword));
  if (concept) return code(concept)?.CodeMeaning ?? '';
  if (measured) {
    const [units] = items(measured, 'MeasurementUnitsCodeSequence');
    return `${text(measured, 'NumericValue') ?? ''} ${(units && code(units)?.CodeValue) ?? ''}`.trim();
  }
  if (object) return text(object, 'ReferencedSOPInstanceUID') ?? '';
  return plain.find((value) => value !== null) ?? numbers(item, 'GraphicData').join(' ');
}
