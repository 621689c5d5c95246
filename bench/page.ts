import type { Machine } from './machine.ts';
import { type Report, renderReport } from './table.ts';

/** Tables as a page has them: between two marks for each benchmark, with the machine and the command above them. */

export interface Made {
  readonly machine: Machine;
  readonly date: Date;
  readonly rounds: number;
  /** Whether interpreters for peers were named. */
  readonly withPeers: boolean;
  readonly model: string | null;
}

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** What one benchmark found, fit to stand alone. */
export function renderSection(name: string, reports: readonly Report[], made: Made): string {
  const { machine, date, rounds, withPeers, model } = made;
  const command = [
    `npm run bench -- ${name} --rounds ${rounds}`,
    ...(withPeers ? ['--peers PYTHON'] : []),
    ...(model === null ? [] : [`--model ${model}`]),
  ].join(' ');
  const { model: processor, cores, node, load } = machine;
  const told = `${processor}, ${cores} cores, Node ${node}, load average ${load.toFixed(2)} at the start`;
  return [`${day.format(date)}: ${told}; \`${command}\`.`, '', ...reports.map(renderReport)].join('\n').trimEnd();
}

const begin = (name: string): string => `<!-- bench ${name} -->`;
const end = (name: string): string => `<!-- /bench ${name} -->`;

/** The page with that section in the place of the one between the marks. Raises a TypeError when it has no such marks. */
export function withSection(page: string, name: string, section: string): string {
  const from = page.indexOf(begin(name));
  const to = page.indexOf(end(name));
  if (from < 0 || to < from) throw new TypeError(`--into: no ${begin(name)} before ${end(name)} in the page`);
  return `${page.slice(0, from)}${begin(name)}\n${section}\n${page.slice(to)}`;
}
