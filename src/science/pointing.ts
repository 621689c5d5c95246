import { type Cell, type FilmWindow, inLungs, type Place, type Side } from '../core/lungs.ts';
import { cellOf, hottestPlace } from '../model/hottest.ts';
import { type Box, boxDistance } from './boxes.ts';
import { proportion } from './confusion.ts';
import type { Film } from './predictions.ts';
import type { Estimate } from './scored.ts';

/** The pointing game: is a map hottest where a person drew a box? (Zhang 2018, Int J Comput Vis 126:1084.) Pure. */

export interface Pointing extends Hits {
  /** The films among them that are called positive. */
  readonly calledPositive: Hits;
}

export interface Hits {
  readonly n: number;
  /** Films whose peak lies in a box, with Wilson's interval. A map without a peak misses. */
  readonly hit: Estimate;
  /** The same with one cell to spare. */
  readonly near: Estimate;
  /** What a place drawn at random in the lungs would reach: a hit rate no higher tells no more than where lungs are. */
  readonly chance: number | null;
  readonly chanceNear: number | null;
  /** What the middle of a lung would reach, right or left by the toss of a coin. */
  readonly centre: number | null;
}

interface Boxed {
  readonly film: Film;
  readonly boxes: readonly Box[];
}

export function pointingOf(films: readonly Boxed[]): Pointing {
  const judged = films.map(judge);
  return {
    ...hitsOf(judged),
    calledPositive: hitsOf(judged.filter(({ film }) => film.decision === 'present')),
  };
}

function judge({ film, boxes }: Boxed) {
  const { map, window } = film;
  const cell = cellOf(map, window);
  const place = hottestPlace(map, window);
  const distance = place === null ? Number.POSITIVE_INFINITY : boxDistance(boxes, place, cell);
  const seen = lungPlaces.filter((lung) => isSeen(lung, window));
  const centres = [centreOf('right'), centreOf('left')];
  return {
    film,
    distance,
    chance: shareNear(seen, boxes, cell, 0),
    chanceNear: shareNear(seen, boxes, cell, 1),
    centre: shareNear(centres, boxes, cell, 0),
  };
}

function hitsOf(judged: readonly ReturnType<typeof judge>[]): Hits {
  const n = judged.length;
  const within = (most: number) => proportion(judged.filter(({ distance }) => distance <= most).length, n);
  const mean = (of: (film: ReturnType<typeof judge>) => number) =>
    n === 0 ? null : judged.reduce((total, film) => total + of(film), 0) / n;
  return {
    n,
    hit: within(0),
    near: within(1),
    chance: mean(({ chance }) => chance),
    chanceNear: mean(({ chanceNear }) => chanceNear),
    centre: mean(({ centre }) => centre),
  };
}

function shareNear(places: readonly Place[], boxes: readonly Box[], cell: Cell, most: number): number {
  return places.filter((place) => boxDistance(boxes, place, cell) <= most).length / places.length;
}

/** Places to a side of the film that the lungs are looked at on. */
const lattice = 100;

/** Evenly in the template. */
const lungPlaces: readonly Place[] = Array.from(
  { length: lattice ** 2 },
  (_, index): Place => [((index % lattice) + 0.5) / lattice, (Math.floor(index / lattice) + 0.5) / lattice],
).filter(inLungs);

function centreOf(side: Side): Place {
  const places = lungPlaces.filter(([x]) => x < 0.5 === (side === 'right'));
  const mean = (axis: 0 | 1) => places.reduce((total, place) => total + place[axis], 0) / places.length;
  return [mean(0), mean(1)];
}

const isSeen = ([x, y]: Place, { left, top, width, height }: FilmWindow): boolean =>
  x >= left && x <= left + width && y >= top && y <= top + height;
