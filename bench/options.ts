import { parseArgs } from 'node:util';

export interface BenchOptions<Name extends string> {
  readonly names: readonly Name[];
  readonly output: 'markdown' | 'json';
  readonly rounds: number;
  /** Python interpreters that may have OpenVINO or PyTorch. */
  readonly peers: readonly string[];
  /** Name of a folder in models/, or a path; null: the shipped model, or an untrained one where there is none. */
  readonly model: string | null;
  /** A Markdown file whose tables are replaced; null: the tables go to the standard output. */
  readonly into: string | null;
}

/** Raises a TypeError whose message is fit for the person who typed. No name: every benchmark. */
export function parseBenchOptions<Name extends string>(
  args: readonly string[],
  known: readonly Name[],
): BenchOptions<Name> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      into: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      peers: { type: 'string', multiple: true, default: [] },
      model: { type: 'string' },
    },
  });
  const { json, markdown, into = null, peers, model = null } = values;
  const unknown = positionals.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) throw new TypeError(`no benchmark ${unknown}; there are ${known.join(', ')}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds: a whole number from 1 on');
  if (json && (markdown || into !== null)) throw new TypeError('--json: without --markdown and --into');
  const names = positionals.length === 0 ? known : known.filter((name) => positionals.includes(name));
  return { names, output: json ? 'json' : 'markdown', rounds, peers, model, into };
}
