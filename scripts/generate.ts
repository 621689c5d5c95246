import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configJsonSchema } from '../src/config.ts';
import { capabilityStatement } from './generate/capability.ts';
import { dicomTables } from './generate/dicom-tables.ts';
import { failuresPage } from './generate/failures.ts';

/**
 * Writes what is generated from the code: conformance tables, failure page, JSON Schema of the configuration.
 * `--check` writes nothing and fails when a file is not what the code says.
 */

const root = join(import.meta.dirname, '..');
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Replaces what stands between the markers of a page; a marker without a table, or a table without a marker, is an error. */
export function fillMarkers(page: string, tables: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(tables));
  const filled = page.replace(
    /(<!-- generated: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, open: string, name: string, close: string) => {
      const table = tables[name];
      if (table === undefined) throw new Error(`no table is generated for the marker ${name}`);
      unused.delete(name);
      return `${open}\n${table}\n\n${close}`;
    },
  );
  if (unused.size > 0) throw new Error(`no marker for the tables ${[...unused].join(', ')}`);
  return filled;
}

export function generated(): Readonly<Record<string, string>> {
  const page = 'conformance/dicom.md';
  return {
    [page]: fillMarkers(readFileSync(join(root, page), 'utf8'), dicomTables(root)),
    'conformance/failures.md': failuresPage(),
    'conformance/fhir-capability.json': json(capabilityStatement()),
    'docker/gateway.schema.json': json(configJsonSchema()),
  };
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const stale = Object.entries(generated()).filter(([path, text]) => {
    const target = join(root, path);
    const same = read(target) === text;
    if (!same && !check) {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    return !same;
  });
  for (const [path] of stale) console.log(`${check ? 'stale: ' : 'written: '}${path}`);
  if (check && stale.length > 0) process.exit(1);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
