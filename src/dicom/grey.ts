import { Failure } from '../core/failure.ts';
import type { Dataset, Radiograph, Reduced } from '../core/study.ts';
import { has, items, number, numbers, text } from './dataset.ts';
import type { Part10 } from './part10.ts';
import type { StoredPixels } from './pixels.ts';

/**
 * Stored values to the grey that a radiologist sees (PS3.3 C.11.1, C.11.2, C.11.6; PS3.4 N.2): padding, Modality LUT, VOI,
 * polarity. A stored value has at most 16 bits, so every step is a table over the values, and the image is looked up once.
 */

/** A curve from one step of the pipeline to the next, with the range that its output may span. */
interface Curve {
  readonly at: (value: number) => number;
  readonly low: number;
  readonly high: number;
}

/** The radiograph of a single-frame image: 0 is black, 1 is white, padding is black. Raises `constant-image`, `invalid-pixels`. */
export function radiograph({ header }: Pick<Part10, 'header'>, stored: StoredPixels): Radiograph {
  const isPadding = paddingOf(header, stored.signed);
  const present = presentValues(stored).filter((value) => !isPadding(value));
  const modality = modalityOf(header, stored);
  const voi = voiOf(header, modality, present);
  const isInverted =
    stored.photometricInterpretation === 'MONOCHROME1' || text(header, 'PresentationLUTShape') === 'INVERSE';
  // By the bits of the stored value; padding stays 0.
  const greys = new Float64Array(65536);
  for (const value of present) {
    const grey = (voi.at(modality.at(value)) - voi.low) / (voi.high - voi.low);
    const clamped = Math.min(1, Math.max(0, grey));
    greys[value & 0xffff] = isInverted ? 1 - clamped : clamped;
  }
  if (new Set(present.map((value) => greys[value & 0xffff])).size < 2) throw constant('greys after the VOI step');
  return {
    columns: stored.columns,
    rows: stored.rows,
    pixels: lookUp(stored.values, new Float32Array(greys)),
    pixelAspect: aspectOf(header),
    ...(stored.halvings > 0 ? { reduced: { x: reducedAxis(stored, 'columns'), y: reducedAxis(stored, 'rows') } } : {}),
  };
}

/** A sample of a halved size lies where an even one of the whole lies: both wavelets of JPEG 2000 are symmetric (ISO 15444-1 F.3). */
function reducedAxis({ halvings, source }: StoredPixels, side: 'columns' | 'rows'): Reduced {
  const scale = 2 ** halvings;
  return { offset: 0.5 - scale / 2, scale, length: source[side] };
}

function lookUp(values: StoredPixels['values'], greys: Float32Array): Float32Array {
  const pixels = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) pixels[index] = greys[values[index]! & 0xffff]!;
  return pixels;
}

/** The stored values that occur, each once. */
function presentValues({ values, signed }: StoredPixels): number[] {
  const seen = new Uint8Array(65536);
  for (let index = 0; index < values.length; index++) seen[values[index]! & 0xffff] = 1;
  const present: number[] = [];
  for (let bits = 0; bits < seen.length; bits++) {
    if (seen[bits]) present.push(asStored(bits, signed));
  }
  return present;
}

/** Whether a stored value is padding: PixelPaddingValue, or the closed range to PixelPaddingRangeLimit (PS3.3 C.7.5.1.1.2). */
function paddingOf(header: Dataset, signed: boolean): (value: number) => boolean {
  const value = number(header, 'PixelPaddingValue');
  if (value === null) return () => false;
  const ends = [value, number(header, 'PixelPaddingRangeLimit') ?? value].map((end) => asStored(end, signed));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return (candidate) => candidate >= low && candidate <= high;
}

/** A 16-bit number read as the pixels are, under whichever of US and SS it was written. */
const asStored = (value: number, signed: boolean): number => (signed ? (value << 16) >> 16 : value & 0xffff);

/** Modality LUT Sequence, else Rescale Slope and Intercept, else the values themselves (PS3.3 C.11.1). */
function modalityOf(header: Dataset, { bitsStored, signed }: StoredPixels): Curve {
  const [item] = items(header, 'ModalityLUTSequence');
  if (item) return lutOf(item, (first) => asStored(first, signed));
  const slope = number(header, 'RescaleSlope') ?? 1;
  const intercept = number(header, 'RescaleIntercept') ?? 0;
  if (slope === 0) throw new Failure('invalid-pixels', { where: 'RescaleSlope', expected: 'not 0', got: '0' });
  const [least, most] = signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
  const ends = [least * slope + intercept, most * slope + intercept];
  return { at: (value) => value * slope + intercept, low: Math.min(...ends), high: Math.max(...ends) };
}

/** VOI LUT Sequence, else the first window, else the span of what the image holds (PS3.3 C.11.2). */
function voiOf(header: Dataset, modality: Curve, present: readonly number[]): Curve {
  const [item] = items(header, 'VOILUTSequence');
  if (item) return lutOf(item, (first) => first);
  const window = windowOf(header);
  if (window) return window;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of present) {
    const output = modality.at(value);
    low = Math.min(low, output);
    high = Math.max(high, output);
  }
  if (low >= high) throw constant('values after the modality step');
  return { at: (value) => value, low, high };
}

/** The window as a curve from 0 to 1; null when there is none or its width cannot be (PS3.3 C.11.2.1.2, C.11.2.1.3). */
function windowOf(header: Dataset): Curve | null {
  const center = number(header, 'WindowCenter');
  const width = number(header, 'WindowWidth');
  if (center === null || width === null) return null;
  const shape = text(header, 'VOILUTFunction') ?? 'LINEAR';
  const unit = (at: Curve['at']): Curve => ({ at, low: 0, high: 1 });
  if (shape === 'SIGMOID') return width > 0 ? unit((x) => 1 / (1 + Math.exp((-4 * (x - center)) / width))) : null;
  if (shape === 'LINEAR_EXACT') return width > 0 ? unit((x) => ramp(x, center, width)) : null;
  return width >= 1 ? unit((x) => ramp(x, center - 0.5, width - 1)) : null;
}

/** 0 up to and with center − width/2, 1 above center + width/2, straight between. */
function ramp(x: number, center: number, width: number): number {
  if (x <= center - width / 2) return 0;
  return x > center + width / 2 ? 1 : (x - center) / width + 0.5;
}

/** A look-up table: first entry below its first value, last above its last (PS3.3 C.11.1.1, C.11.2.1.1). */
function lutOf(item: Dataset, firstValue: (first: number) => number): Curve {
  const [declared, first, bits] = numbers(item, 'LUTDescriptor');
  const invalid = (where: string, expected: string) => new Failure('invalid-pixels', { where, expected });
  if (declared === undefined || first === undefined || bits === undefined) {
    throw invalid('LUTDescriptor', 'three numbers');
  }
  if (bits < 8 || bits > 16) throw invalid('LUTDescriptor, third value', '8 to 16');
  // 0 stands for 65,536 entries; under VR SS a count above 32,767 reads as negative.
  const entries = (declared & 0xffff) === 0 ? 65536 : declared & 0xffff;
  const data = has(item, 'LUTData') ? lutEntries(numbers(item, 'LUTData'), entries) : null;
  if (!data) throw invalid('LUTData', 'as many entries as LUTDescriptor says');
  const start = firstValue(first);
  const at = (value: number) => data[Math.min(entries - 1, Math.max(0, Math.trunc(value) - start))]!;
  return { at, low: 0, high: 2 ** bits - 1 };
}

/** Words, or bytes two to a word, low one first; null when there are too few. */
function lutEntries(words: readonly number[], entries: number): readonly number[] | null {
  const unsigned = words.map((word) => word & 0xffff);
  if (unsigned.length >= entries) return unsigned;
  const bytes = unsigned.flatMap((word) => [word & 0xff, word >> 8]);
  return bytes.length >= entries ? bytes : null;
}

/** Height of a pixel divided by its width (PixelAspectRatio, PixelSpacing, ImagerPixelSpacing; all vertical first). */
function aspectOf(header: Dataset): number {
  for (const keyword of ['PixelAspectRatio', 'PixelSpacing', 'ImagerPixelSpacing'] as const) {
    const [vertical = 0, horizontal = 0] = numbers(header, keyword);
    if (vertical > 0 && horizontal > 0) return vertical / horizontal;
  }
  return 1;
}

const constant = (where: string): Failure =>
  new Failure('constant-image', { where, expected: 'two different values outside the padding' });
