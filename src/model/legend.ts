import type { Decision, ModelIdentity } from '../core/reading.ts';
import { findingSentence, shortReviewNotice } from '../core/wording.ts';
import type { Lettering } from './lettering.ts';

/** What the strip below the film says. A picture travels alone: it must carry its own warning. */

export interface Verdict {
  readonly model: ModelIdentity;
  readonly score: number;
  readonly decision: Decision;
  readonly operatingPoint: number;
  readonly flagSuspectedCovid: boolean;
  /** Map value of the deepest red; of the model, not of the film. */
  readonly heatMax: number;
}

const white = '#ffffff';
const grey = '#c8c8c8';
const amber = '#ffc020';

export const leastImportant: Lettering = { text: 'least important', bold: false, colour: grey };
export const mostImportant: Lettering = { text: 'most important', bold: false, colour: grey };

/** The sentences are those of the report: a picture and a text of one result use the same words. */
export function legendLines(verdict: Verdict): readonly Lettering[] {
  const { model, score, decision, operatingPoint, flagSuspectedCovid, heatMax } = verdict;
  const flagged = decision === 'present' && flagSuspectedCovid;
  const lines: readonly Lettering[] = [
    { text: findingSentence(decision, { flagSuspectedCovid }), bold: true, colour: flagged ? amber : white },
    { text: scoreLine(score, operatingPoint), bold: false, colour: white },
    { text: `${model.name}, version ${model.version}`, bold: false, colour: grey },
    { text: `Heat scale 0 to ${heatMax}, the same for every film`, bold: false, colour: grey },
    { text: `${shortReviewNotice}. For research use.`, bold: true, colour: white },
  ];
  return model.training === 'untrained' ? [...lines, { text: 'UNTRAINED MODEL', bold: true, colour: amber }] : lines;
}

/** Three digits, or as many as it takes to show on which side of the operating point the score lies. */
function scoreLine(score: number, operatingPoint: number): string {
  const positive = score >= operatingPoint;
  const digits = [3, 4, 5, 6, 7, 8].find((each) => {
    const shown = Number(score.toFixed(each));
    return shown >= Number(operatingPoint.toFixed(each)) === positive;
  });
  const text = (value: number) => value.toFixed(digits ?? 8);
  return `p(opacity) ${text(score)}, operating point ${text(operatingPoint)}`;
}
