import { type ContentSettings, decide, type Picture } from '../core/reading.ts';
import type { Radiograph } from '../core/study.ts';
import type { Geometry } from '../model/geometry.ts';
import type { LoadedModel } from '../model/manifest.ts';
import { drawOverlay } from '../model/overlay.ts';
import type { Inference, Network } from '../model/session.ts';
import { preprocess } from '../model/tensor.ts';

/** What the network sees in a radiograph, wherever that came from, and the picture of it. Runs in the child. */

export interface ReadingRoom {
  readonly model: LoadedModel;
  readonly network: Network;
}

export interface Look extends Pick<Inference, 'map' | 'features'> {
  readonly film: Radiograph;
  readonly geometry: Geometry;
  /** p(opacity). */
  readonly score: number;
}

export async function look(film: Radiograph, { model, network }: ReadingRoom): Promise<Look> {
  const { tensor, geometry } = preprocess(film, model.manifest.preprocess);
  const { probabilities, map, features } = await network.infer(tensor);
  return { film, geometry, score: probabilities[1], map, features };
}

export function drawReading(seen: Look, settings: ContentSettings, { model }: ReadingRoom): Promise<Picture> {
  const { film, map, geometry, score } = seen;
  const { operatingPoint, flagSuspectedCovid, heatmapMaxSide } = settings;
  return drawOverlay({
    radiograph: film,
    map,
    geometry,
    maxSide: heatmapMaxSide,
    verdict: {
      model: model.identity,
      score,
      decision: decide(score, operatingPoint),
      operatingPoint,
      flagSuspectedCovid,
      heatMax: model.manifest.heat.max,
    },
  });
}
