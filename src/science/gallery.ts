import type { Film } from './predictions.ts';
import { isPresent } from './scored.ts';

/** Which films a report shows. Pure. */

export const galleryNames = ['falsePositive', 'falseNegative', 'truePositive', 'trueNegative'] as const;
/** Films of each kind. */
export const mostShown = 8;
export type GalleryName = (typeof galleryNames)[number];
export type Gallery = Readonly<Record<GalleryName, readonly Film[]>>;

export const galleryTitles: Readonly<Record<GalleryName, string>> = {
  falsePositive: 'False positives, the highest scores first',
  falseNegative: 'False negatives, the lowest scores first',
  truePositive: 'True positives, evenly over their scores',
  trueNegative: 'True negatives, evenly over their scores',
};

/**
 * The worst errors, because those teach most; of what is right an even choice over the scores, because the best would flatter.
 */
export function chooseGallery(films: readonly Film[], threshold: number, most = mostShown): Gallery {
  const of = (positive: boolean, present: boolean) =>
    films
      .filter((film) => film.positive === positive && isPresent(film.score, threshold) === present)
      .sort((a, b) => b.score - a.score);
  return {
    falsePositive: of(false, true).slice(0, most),
    falseNegative: of(true, false).toReversed().slice(0, most),
    truePositive: evenly(of(true, true), most),
    trueNegative: evenly(of(false, false), most),
  };
}

function evenly(sorted: readonly Film[], most: number): readonly Film[] {
  if (sorted.length <= most) return sorted;
  return Array.from({ length: most }, (_, index) => sorted[Math.round((index * (sorted.length - 1)) / (most - 1))]!);
}
