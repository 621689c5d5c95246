import type { Random } from '../../src/sandbox/random.ts';
import { edges } from './edge-names.ts';

/** When the gateway is killed: at every edge once, at the servers' own moments, and at random. A plan of a seed is always the same. */

/** Moments that the servers see: a request has come, or was carried out and is not yet answered. */
export const serverMoments = [
  'pacs POST before',
  'pacs POST after',
  'fhir POST before',
  'fhir POST after',
  'pacs GET after',
  'fhir GET after',
] as const;

export type Kill =
  | { readonly at: 'edge'; readonly edge: string; readonly pass: number }
  | { readonly at: 'server'; readonly moment: (typeof serverMoments)[number]; readonly pass: number }
  | { readonly at: 'random'; readonly afterMs: number };

const longestLifeMs = 6_000;
const latestPass = 4;

/** All edges and moments, then `random` more kills, shuffled. */
export function planKills(
  random: Random,
  { edges: wanted, randomKills }: { edges: boolean; randomKills: number },
): readonly Kill[] {
  const pass = () => 1 + Math.floor(random() * latestPass);
  const named: Kill[] = wanted
    ? [
        ...edges.map((edge): Kill => ({ at: 'edge', edge, pass: pass() })),
        ...serverMoments.map((moment): Kill => ({ at: 'server', moment, pass: pass() })),
      ]
    : [];
  const others = Array.from(
    { length: randomKills },
    (): Kill => ({ at: 'random', afterMs: Math.round(random() * longestLifeMs) }),
  );
  return shuffle([...named, ...others], random);
}

function shuffle<T>(list: readonly T[], random: Random): readonly T[] {
  const shuffled = [...list];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
  }
  return shuffled;
}
