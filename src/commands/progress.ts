/** How far a long command is: a bar where a person watches, now and then a line where a log does. */

export interface Progress {
  /** `note` stands behind the counts; units and extras are the caller's. */
  tell(done: number, total: number, note?: string): void;
  /** Leaves the last state standing on its own line. May be called again. */
  end(): void;
}

/** What is needed of a stream; `process.stderr` fits. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const barWidth = 24;
const redrawMs = 100;
const lineMs = 10_000;

/** `now` gives milliseconds of a steady clock; `unit` names what is counted. */
export function createProgress(stream: ProgressStream, now: () => number, unit = 'images'): Progress {
  let first: { readonly done: number; readonly at: number } | null = null;
  let toldAt = Number.NEGATIVE_INFINITY;
  let open = false;
  return {
    tell(done, total, note = '') {
      // The first piece of work brings the start of processes and models with it: the rate is that of the others.
      first ??= { done, at: now() };
      const last = done === total;
      const every = stream.isTTY ? redrawMs : lineMs;
      if (!last && now() - toldAt < every) return;
      toldAt = now();
      const left = remaining(done - first.done, total - first.done, now() - first.at);
      // What comes after the last is another round, at a rate of its own.
      if (last) first = null;
      const text = `${done}/${total} ${unit}${left}${note === '' ? '' : `, ${note}`}`;
      if (!stream.isTTY) {
        stream.write(`${text}\n`);
        return;
      }
      const filled = Math.round((barWidth * done) / total);
      stream.write(`\r\u001B[K${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${text}`);
      open = true;
    },
    end() {
      if (open) stream.write('\n');
      open = false;
    },
  };
}

export interface Phases {
  /** The bar of a phase; that of the phase before is ended. */
  bar(phase: string, unit: string): Progress;
  end(): void;
}

/** A bar for each phase of a command, one after another. */
export function createPhases(stream: ProgressStream, now: () => number): Phases {
  let open: { readonly phase: string; readonly bar: Progress } | null = null;
  const end = () => {
    open?.bar.end();
    open = null;
  };
  return {
    bar(phase, unit) {
      if (open?.phase !== phase) {
        end();
        open = { phase, bar: createProgress(stream, now, unit) };
      }
      return open!.bar;
    },
    end,
  };
}

function remaining(done: number, total: number, elapsedMs: number): string {
  if (done === 0 || done === total) return '';
  const seconds = Math.round(((total - done) * elapsedMs) / done / 1000);
  return seconds < 90 ? `, ${seconds} s left` : `, ${Math.round(seconds / 60)} min left`;
}
