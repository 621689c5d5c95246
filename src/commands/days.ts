import { Failure } from '../core/failure.ts';

/** Days as the command line names them. */

const dayMs = 86_400_000;
/** A hundred years: nobody means more, and each day is asked for. */
const mostDays = 36_525;

/** `YYYY-MM-DD` from the first to the last. Raises `config-invalid` for what is no day, or for the wrong order. */
export function daysBetween(from: string, to: string): readonly string[] {
  const [first, last] = [dayOf('--from', from), dayOf('--to', to)];
  const count = (last - first) / dayMs + 1;
  if (count < 1 || count > mostDays) {
    const expected = `a day from --from on, at most ${mostDays} days`;
    throw new Failure('config-invalid', { where: '--to', expected, got: to.slice(0, 40) });
  }
  return Array.from({ length: count }, (_, index) => new Date(first + index * dayMs).toISOString().slice(0, 10));
}

function dayOf(where: string, text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes the 31st of February for the 3rd of March.
  if (!Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text) return at;
  throw new Failure('config-invalid', { where, expected: 'a day, YYYY-MM-DD', got: text.slice(0, 40) });
}
