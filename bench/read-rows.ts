import { median, perMinute, speedRatio, type Timings } from './measure.ts';
import { gemmSide } from './read-contestants.ts';
import type { Row } from './table.ts';

/** From seconds to the figures that people ask for. */

/** A radiologist's images a minute in the paper, by which it divides ("model efficiency"). */
export const radiologistPerMinute = 1.75;
/** What the paper reports for its own machine. */
export const paperEfficiency = 258;

const names: readonly (readonly [name: string, what: string, against: string])[] = [
  ['bare 1', 'bare ONNX Runtime, 1 thread', 'gemm 1'],
  ['bare 2', 'bare ONNX Runtime, 2 threads', 'gemm 2'],
  ['network 1', 'session with its checks, 1 thread', 'bare 1'],
  ['network 2', 'session with its checks, 2 threads', 'bare 2'],
  ['picture 1x1', '224-pixel PNG to score through the child, 1 thread', 'bare 1'],
  ['picture 1x2', '224-pixel PNG to score through the child, 2 threads', 'bare 2'],
  ['picture 2x1', '224-pixel PNG to score, two children of 1 thread', 'bare 2'],
  ['film 1x1', 'DICOM film to score and picture through the child, 1 thread', 'bare 1'],
  ['film 1x2', 'DICOM film to score and picture through the child, 2 threads', 'bare 2'],
  ['film 2x1', 'DICOM film to score and picture, two children of 1 thread', 'bare 2'],
];

/** @param peakMiB Resident memory of a child at its highest; null: not known here. */
export function readRows(timings: Timings, multiplyAddsPerImage: number, peakMiB: number | null): readonly Row[] {
  const productsPerImage = multiplyAddsPerImage / gemmSide ** 3;
  /** Seconds an image; the product's would be those of a network that runs at its rate. */
  const secondsOf = (name: string): readonly number[] => {
    const seconds = timings.get(name)!;
    return name.startsWith('gemm') ? seconds.map((each) => each * productsPerImage) : seconds;
  };
  const peaks = [1, 2].map((threads): Row => {
    const rate = gemmSide ** 3 / median(timings.get(`gemm ${threads}`)!) / 1e9;
    return {
      what: `yardstick: product of ${gemmSide}² matrices, ${threads} thread${threads > 1 ? 's' : ''}`,
      value: perMinute(median(secondsOf(`gemm ${threads}`))),
      unit: 'images/min',
      note: `${rate.toFixed(1)} G multiply-adds a second`,
    };
  });
  const contestants = names.map(([name, what, against]): Row => {
    const rate = perMinute(median(secondsOf(name)));
    const value = speedRatio(secondsOf(name), secondsOf(against));
    const of = against.startsWith('gemm')
      ? 'yardstick'
      : `bare, ${against.slice(-1)} thread${against.endsWith('1') ? '' : 's'}`;
    const note = `efficiency ${Math.floor(rate / radiologistPerMinute)} (paper: ${paperEfficiency})`;
    return { what, value: rate, unit: 'images/min', ratio: { value, of }, note };
  });
  const memory: Row = { what: 'resident memory of a child, peak', value: peakMiB, unit: 'MiB' };
  return [...peaks, ...contestants, peakMiB === null ? { ...memory, note: 'no /proc here' } : memory];
}
