import type { Request } from 'express';
import { fhirMisbehaviours } from './fhir-misbehaviours.ts';
import { commonMisbehaviours, type Misbehaviour, type Side } from './misbehaviour.ts';
import { pacsMisbehaviours } from './pacs-misbehaviours.ts';

/** Decides for each request whether, and how, the server misbehaves; null: it is served. */
export type Script = (request: Request) => Misbehaviour | null;

export interface ChaosOptions {
  readonly side: Side;
  /** 0 ≤ random() < 1, seeded. */
  readonly random: () => number;
  /** Probability for one request. */
  readonly rate: number;
  /** So many in a row for the same method and path at most, so that work can end; 4 when absent. */
  readonly mostInARow?: number;
  /** What is drawn from: by default the passing ones of the side, after which every study can still be reported once. */
  readonly catalogue?: readonly Misbehaviour[];
}

export const misbehavioursOf = (side: Side): readonly Misbehaviour[] => [
  ...commonMisbehaviours,
  ...(side === 'pacs' ? pacsMisbehaviours : fhirMisbehaviours),
];

/** With probability `rate`, for each request, one of the misbehaviours that fit it. */
export function chaosScript(options: ChaosOptions): Script {
  const { side, random, rate, mostInARow = 4 } = options;
  const catalogue = options.catalogue ?? misbehavioursOf(side).filter(({ kind }) => kind === 'passing');
  const inARow = new Map<string, number>();
  return (request) => {
    const key = `${request.method} ${request.path}`;
    const before = inARow.get(key) ?? 0;
    const fitting = catalogue.filter(({ fits }) => fits(request));
    // Both numbers are drawn for every request, so that one seed gives one course whatever was met before.
    const [meets, which] = [random() < rate, random()];
    const misbehaviour = fitting[Math.floor(which * fitting.length)];
    if (!meets || !misbehaviour || before >= mostInARow) {
      inARow.delete(key);
      return null;
    }
    inARow.set(key, before + 1);
    return misbehaviour;
  };
}

export interface Rule {
  readonly misbehaviour: Misbehaviour;
  /** Narrows what the misbehaviour itself fits. */
  readonly on?: (request: Request) => boolean;
  /** So many fitting requests are served first; 0 when absent. */
  readonly after?: number;
  /** So many fitting requests are met by it; 1 when absent. */
  readonly times?: number;
}

/** The first requests that fit a rule are met by its misbehaviour, in the order of the rules; all others are served. */
export function scripted(...rules: readonly Rule[]): Script {
  const counts = rules.map(() => 0);
  return (request) => {
    for (const [index, { misbehaviour, on, after = 0, times = 1 }] of rules.entries()) {
      if (!misbehaviour.fits(request) || on?.(request) === false || counts[index]! >= after + times) continue;
      counts[index]!++;
      if (counts[index]! > after) return misbehaviour;
    }
    return null;
  };
}
