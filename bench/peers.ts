import { join } from 'node:path';
import { bareId, batches, type Entered, type Entry, threadsInWords } from './entry.ts';
import { noteOf, startSame, turnsOf } from './in-processes.ts';
import { type Absent, isAbsent, type Turns, type TurnsSpec } from './turns.ts';

/** Other runtimes on the same network, the same image, the same batches and threads: OpenVINO and PyTorch, if they are there. */

interface Peer {
  readonly name: string;
  readonly script: string;
  readonly settings: Readonly<Record<string, string>>;
}

const peers: readonly Peer[] = [
  { name: 'OpenVINO, latency', script: 'openvino_peer.py', settings: { hint: 'LATENCY' } },
  { name: 'OpenVINO, throughput', script: 'openvino_peer.py', settings: { hint: 'THROUGHPUT' } },
  { name: 'PyTorch', script: 'pytorch_peer.py', settings: {} },
];

export interface PeerOptions {
  /** Python interpreters; a peer runs in the first that has it. */
  readonly pythons: readonly string[];
  /** p(opacity) that the same network gives. */
  readonly probability: number;
  readonly images: number;
}

/** One process for each peer and number of threads. They start one after another, since some choose their form by trial. */
export async function enterPeers(spec: TurnsSpec, options: PeerOptions): Promise<Entered> {
  const open: Turns[] = [];
  const entries: Entry[] = [];
  for (const peer of peers) {
    for (const threads of [1, 2]) {
      const turns = await startPeer(peer, { ...spec, threads, ...peer.settings }, options);
      if (!isAbsent(turns)) open.push(turns);
      entries.push(...batches.map((batch) => entryOf(peer, turns, { threads, batch, images: options.images })));
    }
  }
  return { entries, close: () => Promise.all(open.map((turns) => turns.close())) };
}

async function startPeer(
  { script }: Peer,
  spec: TurnsSpec,
  { pythons, probability }: PeerOptions,
): Promise<Turns | Absent> {
  const reasons: string[] = [];
  for (const python of pythons) {
    // -B: no folder of compiled files beside the scripts.
    const args = ['-B', join(import.meta.dirname, 'peers', script)];
    const turns = await startSame(python, args, spec, probability);
    if (!isAbsent(turns)) return turns;
    reasons.push(turns.absent);
  }
  return { absent: pythons.length === 0 ? 'no --peers PYTHON was named' : reasons.join('; ') };
}

function entryOf(
  { name }: Peer,
  turns: Turns | Absent,
  { threads, batch, images }: { readonly threads: number; readonly batch: number; readonly images: number },
): Entry {
  const id = `${name.toLowerCase().replace(',', '')} ${threads}${batch > 1 ? ` b${batch}` : ''}`;
  return {
    ...{ id, what: `${name}, ${threadsInWords(threads)}`, threads, batch, against: bareId(threads, batch) },
    note: noteOf(turns, batch),
    contestant: isAbsent(turns) ? null : turnsOf(id, turns, batch, images),
  };
}
