import { benchDecode } from './decode.ts';
import { benchJobs } from './jobs.ts';
import { busyWarning, lookAtMachine } from './machine.ts';
import { parseBenchOptions } from './options.ts';
import { benchRead } from './read.ts';
import { type Report, renderReport } from './table.ts';

/** `npm run bench [-- NAME...] [--json] [--rounds N]`: figures of this machine, never a test. */

const benches = { read: benchRead, decode: benchDecode, jobs: benchJobs };

async function run(args: readonly string[]): Promise<void> {
  const { names, json, rounds } = parseBenchOptions(args, Object.keys(benches) as (keyof typeof benches)[]);
  const machine = lookAtMachine();
  const warning = busyWarning(machine);
  if (warning !== null) console.error(`warning: ${warning}`);
  const reports: Report[] = [];
  for (const name of names) {
    console.error(`${name} ...`);
    reports.push(...(await benches[name](rounds)));
  }
  if (json) {
    console.log(JSON.stringify({ machine, warning, rounds, reports }, null, 2));
    return;
  }
  const { model, cores, node, load } = machine;
  console.log(
    `${model}, ${cores} cores, Node ${node}, load average ${load.toFixed(2)} at the start, ${rounds} rounds\n`,
  );
  for (const report of reports) console.log(renderReport(report));
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 64;
}
