import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** Lines of text as pixels, in the DejaVu font that an npm package brings: a server may have no fonts at all. */

export interface Lettering {
  readonly text: string;
  readonly bold: boolean;
  /** `#rrggbb`. */
  readonly colour: string;
}

/** A rendered line. */
export interface Label {
  /** RGBA, 8 bit, interleaved. */
  readonly rgba: Buffer;
  readonly columns: number;
  readonly rows: number;
}

const fontFolder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const smallestSize = 5;

/** Lines that were drawn before: all but the score's stand on every picture. */
const drawn = new Map<string, Promise<Label>>();
const mostDrawn = 64;

/** One line at `size` pixels, or smaller when it would be wider than `maxColumns`. */
export async function letter(lettering: Lettering, size: number, maxColumns: number): Promise<Label> {
  const label = await renderOnce(lettering, size);
  if (label.columns <= maxColumns || size <= smallestSize) return label;
  const fitting = Math.floor((size * maxColumns) / label.columns);
  return letter(lettering, Math.max(smallestSize, Math.min(size - 1, fitting)), maxColumns);
}

function renderOnce(lettering: Lettering, size: number): Promise<Label> {
  const key = JSON.stringify([lettering, size]);
  const known = drawn.get(key);
  if (known) return known;
  if (drawn.size >= mostDrawn) drawn.clear();
  const label = render(lettering, size);
  drawn.set(key, label);
  return label;
}

/** At 72 dots an inch a point is a pixel. */
async function render({ text, bold, colour }: Lettering, size: number): Promise<Label> {
  const face = bold ? 'DejaVuSans-Bold.ttf' : 'DejaVuSans.ttf';
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${colour}">${markupOf(text)}</span>`,
      font: `DejaVu Sans ${bold ? 'Bold ' : ''}${size}`,
      fontfile: join(fontFolder, face),
      dpi: 72,
      rgba: true,
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { rgba: data, columns: info.width, rows: info.height };
}

/** Pango reads its text as markup. */
function markupOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
