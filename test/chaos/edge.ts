import { writeSync } from 'node:fs';

/** Edges of a step: where a process dies in the chaos run. */

const [armed = '', times = '1'] = (process.env['CHAOS_KILL'] ?? '').split('#');
let passes = 0;

/** Every method of the object that gives a promise or a value, between two edges named after it. */
export function withEdges<T extends object>(target: T, name: (method: string) => string | null): T {
  const entries = Object.entries(target).map(([method, value]): [string, unknown] => {
    const edge = typeof value === 'function' ? name(method) : null;
    return [method, edge === null ? value : between(edge, value as (...given: unknown[]) => unknown)];
  });
  return { ...target, ...Object.fromEntries(entries) };
}

function between(edge: string, work: (...given: unknown[]) => unknown): (...given: unknown[]) => unknown {
  return (...given) => {
    pass(`before ${edge}`);
    const result = work(...given);
    if (!(result instanceof Promise)) {
      pass(`after ${edge}`);
      return result;
    }
    return result.then((value: unknown) => {
      pass(`after ${edge}`);
      return value;
    });
  };
}

function pass(edge: string): void {
  if (edge !== armed || ++passes !== Number(times)) return;
  writeSync(2, `${JSON.stringify({ event: 'chaos', edge })}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way: nothing more may happen here.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}
