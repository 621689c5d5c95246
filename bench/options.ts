import { parseArgs } from 'node:util';

export interface BenchOptions<Name extends string> {
  readonly names: readonly Name[];
  readonly json: boolean;
  readonly rounds: number;
}

/** Raises a TypeError whose message is fit for the person who typed. No name: every benchmark. */
export function parseBenchOptions<Name extends string>(
  args: readonly string[],
  known: readonly Name[],
): BenchOptions<Name> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
  });
  const unknown = positionals.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) throw new TypeError(`no benchmark ${unknown}; there are ${known.join(', ')}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds: a whole number from 1 on');
  const names = positionals.length === 0 ? known : known.filter((name) => positionals.includes(name));
  return { names, json: values.json, rounds };
}
