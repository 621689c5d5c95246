import { type FilmWindow, lungDistance, type Zone, zoneAt } from '../core/lungs.ts';
import type { ActivationMap } from '../core/reading.ts';
import { cellOf, hottestPlace } from '../model/hottest.ts';
import { groupedMean } from './bootstrap.ts';
import type { Box } from './boxes.ts';
import { type Pointing, pointingOf } from './pointing.ts';
import type { Film } from './predictions.ts';
import type { Interval } from './scored.ts';

/** Do the maps lie on lungs? The share of their mass inside the lung template, and where they are hottest. Pure. */

export interface HeatMaps {
  readonly calledPositive: LungMass;
  readonly all: LungMass;
  readonly bySource: readonly { readonly name: string | null; readonly mass: LungMass }[];
  /** Null where no film has a box. */
  readonly pointing: Pointing | null;
  /** Where the maps of the films called positive are hottest; null: nowhere, the map has no positive value. */
  readonly zones: ReadonlyMap<Zone | null, number>;
}

/** Of films whose map has a positive value. */
export interface LungMass {
  readonly n: number;
  /** Films whose map has none: there is no share to tell. */
  readonly withoutMass: number;
  /** Mean share inside the template widened by one cell; null without films. */
  readonly mean: number | null;
  /** 95 %, from resampled groups. */
  readonly meanCi95: Interval | null;
  readonly median: number | null;
  /** What a map would have that is everywhere the same: a share no higher than this says nothing. */
  readonly meanOfFlat: number | null;
  /** The same inside the template as it is drawn. */
  readonly strict: { readonly mean: number | null; readonly meanOfFlat: number | null };
}

/** Share of each cell's area inside the lungs. */
interface Cover {
  readonly widened: readonly number[];
  readonly strict: readonly number[];
}

export function assessHeatMaps(films: readonly Film[], boxes: ReadonlyMap<string, readonly Box[]>): HeatMaps {
  const covers = new Map<string, Cover>();
  const measured = films.map((film) => ({ film, share: shareOf(film, covers) }));
  const called = measured.filter(({ film }) => film.decision === 'present');
  const sources = [...Map.groupBy(measured, ({ film }) => film.source)].sort(([, a], [, b]) => b.length - a.length);
  const boxed = films.flatMap((film) => {
    const drawn = boxes.get(film.file) ?? [];
    return drawn.length === 0 ? [] : [{ film, boxes: drawn }];
  });
  const zones = called.map(({ film: { map, window } }) => {
    const place = hottestPlace(map, window);
    return place && zoneAt(place, cellOf(map, window));
  });
  return {
    calledPositive: massOf(called),
    all: massOf(measured),
    bySource: sources.map(([name, members]) => ({ name, mass: massOf(members) })),
    pointing: boxed.length === 0 ? null : pointingOf(boxed),
    zones: new Map([...Map.groupBy(zones, (zone) => zone)].map(([zone, { length }]) => [zone, length])),
  };
}

interface Share {
  readonly widened: number;
  readonly strict: number;
  readonly flatWidened: number;
  readonly flatStrict: number;
}

interface Measured {
  readonly film: Film;
  readonly share: Share | null;
}

function shareOf({ map, window }: Film, covers: Map<string, Cover>): Share | null {
  const total = sum(map.values);
  if (!(total > 0)) return null;
  const key = [map.columns, map.rows, ...Object.values(window)].join();
  const cover = covers.get(key) ?? coverOf(map, window);
  covers.set(key, cover);
  const weighed = (shares: readonly number[]) => sum(map.values.map((value, cell) => value * shares[cell]!)) / total;
  return {
    widened: weighed(cover.widened),
    strict: weighed(cover.strict),
    flatWidened: sum(cover.widened) / cover.widened.length,
    flatStrict: sum(cover.strict) / cover.strict.length,
  };
}

/** Places looked at along each side of a cell. */
const samples = 8;

export function coverOf(map: Pick<ActivationMap, 'columns' | 'rows'>, window: FilmWindow): Cover {
  const cell = cellOf({ ...map, values: [] }, window);
  const [width, height] = cell;
  const cells = Array.from({ length: map.columns * map.rows }, (_, index) => {
    const left = window.left + (index % map.columns) * width;
    const top = window.top + Math.floor(index / map.columns) * height;
    const distances = Array.from({ length: samples ** 2 }, (_, sample) => {
      const x = left + (((sample % samples) + 0.5) / samples) * width;
      const y = top + ((Math.floor(sample / samples) + 0.5) / samples) * height;
      return lungDistance([x, y], cell);
    });
    const share = (most: number) => distances.filter((distance) => distance <= most).length / distances.length;
    return { widened: share(1), strict: share(0) };
  });
  return { widened: cells.map(({ widened }) => widened), strict: cells.map(({ strict }) => strict) };
}

function massOf(measured: readonly Measured[]): LungMass {
  const films = measured.flatMap(({ film, share }) => (share ? [{ group: film.group, share }] : []));
  const mean = (of: (share: Share) => number) =>
    films.length === 0 ? null : sum(films.map(({ share }) => of(share))) / films.length;
  return {
    n: films.length,
    withoutMass: measured.length - films.length,
    mean: mean(({ widened }) => widened),
    meanCi95: groupedMean(films.map(({ group, share }) => ({ group, value: share.widened }))),
    median: median(films.map(({ share }) => share.widened)),
    meanOfFlat: mean(({ flatWidened }) => flatWidened),
    strict: { mean: mean(({ strict }) => strict), meanOfFlat: mean(({ flatStrict }) => flatStrict) },
  };
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(values.length - 1) >> 1]!, sorted[values.length >> 1]!];
  return (low + high) / 2;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
