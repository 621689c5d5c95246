import sharp from 'sharp';
import { type Lettering, letter } from './lettering.ts';

/** A line drawing with letters, as SVG for a browser and as PNG for everything else. */

/** Upright text; `x` is its start, middle or end, `y` its middle. Pixels. */
export interface DrawnText extends Lettering {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  /** Height of the letters in pixels. */
  readonly size: number;
}

export interface Drawing {
  readonly columns: number;
  readonly rows: number;
  /** SVG elements without text. */
  readonly shapes: string;
  readonly texts: readonly DrawnText[];
  /** What it shows, for those who cannot see it. */
  readonly title: string;
}

export function toSvg(drawing: Drawing): string {
  const texts = drawing.texts.map(
    ({ x, y, anchor, size, bold, colour, text }) =>
      `<text x="${x}" y="${y}" text-anchor="${anchor}" dominant-baseline="central" font-size="${size}"` +
      `${bold ? ' font-weight="bold"' : ''} fill="${colour}">${escaped(text)}</text>`,
  );
  const inner = `<title>${escaped(drawing.title)}</title>\n${drawing.shapes}\n${texts.join('\n')}`;
  return `${wrap(drawing, inner, 1)}\n`;
}

/** The same at `scale` pixels for one of the drawing's, its letters in the font that an npm package brings. */
export async function toPng(drawing: Drawing, scale: number): Promise<Buffer> {
  const labels = await Promise.all(drawing.texts.map((text) => placed(text, drawing.columns, scale)));
  return sharp(Buffer.from(wrap(drawing, drawing.shapes, scale)))
    .flatten({ background: '#ffffff' })
    .composite(labels)
    .png({ compressionLevel: 9 })
    .toBuffer();
}

function wrap({ columns, rows }: Drawing, inner: string, scale: number): string {
  const size = `width="${columns * scale}" height="${rows * scale}" viewBox="0 0 ${columns} ${rows}"`;
  const font = 'font-family="DejaVu Sans, Verdana, sans-serif"';
  const paper = `<rect width="${columns}" height="${rows}" fill="#ffffff"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}>\n${paper}\n${inner}\n</svg>`;
}

async function placed(text: DrawnText, columns: number, scale: number) {
  const { rgba, columns: width, rows: height } = await letter(text, text.size * scale, columns * scale);
  const share = { start: 0, middle: 0.5, end: 1 }[text.anchor];
  return {
    input: rgba,
    raw: { width, height, channels: 4 as const },
    left: Math.max(0, Math.round(text.x * scale - share * width)),
    top: Math.max(0, Math.round(text.y * scale - height / 2)),
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
