import { bareId, bareInTwo, type Entry, threadsInWords } from './entry.ts';
import type { Resident } from './machine.ts';
import { median, perMinute, speedRatio, type Timings } from './measure.ts';
import type { Row } from './table.ts';
import type { Peak } from './yardstick.ts';

/** From seconds to the figures that people ask for. */

/** A radiologist's images a minute in the paper, by which it divides ("model efficiency"). */
export const radiologistPerMinute = 1.75;
/** What the paper reports for its own machine. */
export const paperEfficiency = 258;

export const efficiencyOf = (imagesPerMinute: number): number => Math.floor(imagesPerMinute / radiologistPerMinute);

/** Multiply-adds a second, and the images a minute that they are worth. */
export function peakRow({ rates, form }: Peak, threads: number, multiplyAddsAnImage: number): Row {
  const rate = median(rates);
  const value = perMinute(multiplyAddsAnImage / rate);
  const note = `${(rate / 1e9).toFixed(1)} G multiply-adds a second; most often the ${form}`;
  return { id: `peak ${threads}`, what: `the machine's peak, ${threadsInWords(threads)}`, value, unit, note };
}

const unit = 'images/min';

/** @param peaks By the number of threads. */
export function entryRow(
  { id, what, threads, batch, eightBit, against, contestant, note }: Entry,
  timings: Timings,
  peaks: ReadonlyMap<number, Peak>,
  multiplyAddsAnImage: number,
): Row {
  const about = { id, what, batch, ...(threads === null ? {} : { threads }), unit };
  const own = contestant && timings.get(contestant.name);
  if (!own) return { ...about, value: null, ...(note === undefined ? {} : { note }) };
  const value = perMinute(median(own));
  const other = against === null ? undefined : timings.get(against);
  const peak = threads === null || eightBit ? undefined : peaks.get(threads);
  return {
    ...about,
    value,
    ...(other && against !== null ? { ratio: { value: speedRatio(own, other), of: inWords(against) } } : {}),
    ...(peak ? { share: median(own.map((seconds, round) => multiplyAddsAnImage / seconds / peak.rates[round]!)) } : {}),
    efficiency: efficiencyOf(value),
    ...(note === undefined ? {} : { note }),
  };
}

function inWords(against: string): string {
  if (against === bareId(bareInTwo)) return 'bare, two of 1 thread';
  const [, threads, batch] = /^bare (\d+)(?: b(\d+))?$/.exec(against) ?? [];
  if (threads === undefined) return against;
  return `bare, ${threadsInWords(Number(threads))}${batch === undefined ? '' : `, batch ${batch}`}`;
}

/** Two rows a kind of process: between its films, and at its most. */
export function memoryRows(of: string, processes: readonly (Resident | null)[]): readonly Row[] {
  const known = processes.filter((each) => each !== null);
  const row = (key: keyof Resident, when: string): Row => {
    const what = `resident memory ${when}, ${of}`;
    const id = `memory ${key} ${of}`;
    if (known.length === 0) return { id, what, value: null, unit: 'MiB', note: 'no /proc here' };
    return { id, what, value: median(known.map((each) => each[key])), unit: 'MiB' };
  };
  return [row('now', 'at the end'), row('peak', 'at its highest')];
}
