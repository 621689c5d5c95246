import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Machine {
  readonly model: string;
  readonly cores: number;
  readonly node: string;
  /** Over the last minute, when the benchmark began. */
  readonly load: number;
}

export function lookAtMachine(): Machine {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  return { model, cores: availableParallelism(), node: process.version, load: loadavg()[0] ?? 0 };
}

/** Above this, something else is running and the figures are those of what it leaves. */
export const busyLoad = 1.5;

export function busyWarning({ load }: Machine): string | null {
  if (load <= busyLoad) return null;
  return `load average ${load.toFixed(2)}: something else runs on this machine; the figures are too low, ratios hold better`;
}

/** Processes that this one has started and that still run; null where there is no /proc. */
export function childPids(): readonly number[] | null {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return null;
  }
}

export interface Resident {
  /** MiB. */
  readonly now: number;
  /** MiB, since the process began. */
  readonly peak: number;
}

/** Null where there is no /proc, or no such process any more. */
export function residentOf(pid: number): Resident | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mebibytes = (key: string) => Number(new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
    return { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
  } catch {
    return null;
  }
}
