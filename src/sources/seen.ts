import { sha256 } from '../core/ids.ts';
import type { Memory } from '../core/ports.ts';

/** The studies that a poll has met, with the number of instances they had then. Bounded; the names in it are hashes. */
export interface Seen {
  /** `undefined`: never met, or long ago. */
  instances(studyInstanceUid: string): Promise<number | null | undefined>;
  note(studyInstanceUid: string, instances: number | null): Promise<void>;
}

/** A bucket is one value of the memory: small enough to be written for one study, few enough to be kept for a million. */
const buckets = 2048;

type Entry = readonly [name: string, instances: number | null];

/** Forgets the oldest entries of a bucket beyond its share of `maxSeen`. */
export function createSeen(memory: Memory, maxSeen: number): Seen {
  const share = Math.ceil(maxSeen / buckets);
  const read = async (key: string) => ((await memory.get(key)) ?? []) as readonly Entry[];
  return {
    async instances(studyInstanceUid) {
      const { key, name } = placeOf(studyInstanceUid);
      return (await read(key)).find(([other]) => other === name)?.[1];
    },
    async note(studyInstanceUid, instances) {
      const { key, name } = placeOf(studyInstanceUid);
      const others = (await read(key)).filter(([other]) => other !== name);
      await memory.set(key, [...others, [name, instances]].slice(-share));
    },
  };
}

function placeOf(studyInstanceUid: string): { readonly key: string; readonly name: string } {
  const digest = sha256(studyInstanceUid);
  return { key: `seen-${Number.parseInt(digest.slice(0, 3), 16) % buckets}`, name: digest.slice(3, 19) };
}
