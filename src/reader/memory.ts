import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Resident memory of another process: V8's own limits do not bound wasm and ONNX Runtime. */

const hasProc = existsSync('/proc/self/status');
/** Reading /proc takes microseconds, starting `ps` does not. */
const everyMs = hasProc ? 50 : 500;

/** Mebibytes; null when the process is gone. */
export async function residentMiB(pid: number): Promise<number | null> {
  const kibibytes = hasProc ? await fromProc(pid) : await fromPs(pid);
  return kibibytes === null ? null : kibibytes / 1024;
}

async function fromProc(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /^VmRSS:\s*(\d+) kB$/m.exec(status);
  return found ? Number(found[1]) : null;
}

async function fromPs(pid: number): Promise<number | null> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() === '' ? null : Number(stdout);
}

/** Calls back once, with the mebibytes seen, when the process takes more than the limit. Gives the function that ends the watch. */
export function watchMemory(pid: number, limitMiB: number, exceeded: (mebibytes: number) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const look = async (): Promise<void> => {
    const mebibytes = await residentMiB(pid);
    if (ended) return;
    if (mebibytes !== null && mebibytes > limitMiB) exceeded(mebibytes);
    else timer = setTimeout(look, everyMs);
  };
  timer = setTimeout(look, everyMs);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
