import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { benchBacklog } from './backlog.ts';
import { benchDecode } from './decode.ts';
import { benchEndToEnd } from './end-to-end.ts';
import { benchGateways } from './gateways.ts';
import { benchJobs } from './jobs.ts';
import { busyWarning, lookAtMachine } from './machine.ts';
import { type BenchOptions, parseBenchOptions } from './options.ts';
import { renderSection, withSection } from './page.ts';
import { benchRead } from './read.ts';
import type { Report } from './table.ts';

/**
 * `npm run bench [-- NAME...] [--rounds N] [--model ID] [--peers PYTHON]... [--json | --markdown | --into FILE]`: figures of
 * this machine, never a test.
 */

const benches = {
  read: benchRead,
  decode: ({ rounds }: { readonly rounds: number }) => benchDecode(rounds),
  jobs: ({ rounds }: { readonly rounds: number }) => benchJobs(rounds),
  gateways: ({ rounds }: { readonly rounds: number }) => benchGateways(rounds),
  'end-to-end': benchEndToEnd,
  backlog: benchBacklog,
};
type Name = keyof typeof benches;

async function run(args: readonly string[]): Promise<void> {
  const options = parseBenchOptions(args, Object.keys(benches) as Name[]);
  const { names, output, rounds, into } = options;
  if (into !== null) checkPage(into, names);
  const machine = lookAtMachine();
  const warning = busyWarning(machine);
  if (warning !== null) console.error(`warning: ${warning}`);
  const found: (readonly [Name, readonly Report[]])[] = [];
  for (const name of names) {
    console.error(`${name} ...`);
    found.push([name, await benches[name](options)]);
  }
  if (output === 'json') {
    const reports = found.flatMap(([, reports]) => reports);
    console.log(JSON.stringify({ machine, warning, rounds, reports }, null, 2));
    return;
  }
  tell(found, options, machine);
}

/** A page without the marks is refused before anything is measured. */
function checkPage(file: string, names: readonly Name[]): void {
  if (!existsSync(file)) throw new TypeError(`--into: no file ${file}`);
  const page = readFileSync(file, 'utf8');
  for (const name of names) withSection(page, name, '');
}

function tell(
  found: readonly (readonly [Name, readonly Report[]])[],
  { rounds, peers, model, into }: BenchOptions<Name>,
  machine: ReturnType<typeof lookAtMachine>,
): void {
  const made = { machine, date: new Date(), rounds, withPeers: peers.length > 0, model };
  const sections = found.map(([name, reports]) => [name, renderSection(name, reports, made)] as const);
  if (into === null) {
    for (const [, section] of sections) console.log(`${section}\n`);
    return;
  }
  const page = readFileSync(into, 'utf8');
  writeFileSync(
    into,
    sections.reduce((text, [name, section]) => withSection(text, name, section), page),
  );
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 64;
}
