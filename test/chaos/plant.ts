import { registerHooks } from 'node:module';

/**
 * Faults planted on purpose into a gateway of the chaos run, for the auditor to find: `CHAOS_PLANT=confirmation`. Loaded by `--import`;
 * the sources on the disk stay as they are.
 */

interface Change {
  /** Below `src/`. */
  readonly file: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}

const plants: Readonly<Record<string, readonly Change[]>> = {
  /** Whatever the archive answers counts as stored; nothing is read back. */
  confirmation: [
    {
      file: 'dicom/read-back.ts',
      pattern: /(export async function isStored\([^)]*\)[^{]*\{)/,
      replacement: '$1\n  if (sent) return true;',
    },
  ],
  /** Every run reads and composes anew and delivers that, instead of the bytes that were recorded first. */
  record: [
    {
      file: 'steps/recall.ts',
      pattern: /(export async function (?:recall|confirm)\([^)]*\)[^{]*\{)/g,
      replacement: '$1\n  if (job) return null;',
    },
    {
      file: 'steps/record.ts',
      pattern:
        /const recorded = await world\.ledger\.record\(job, conclusion\.reading, composed\(world, conclusion\)\);/,
      replacement:
        'const artifacts = composed(world, conclusion); const recorded = { ...(await world.ledger.record(job, conclusion.reading, artifacts)), artifacts, receipts: [] };',
    },
  ],
};

const wanted = plants[process.env['CHAOS_PLANT'] ?? ''];
if (!wanted) throw new Error(`CHAOS_PLANT: expected one of ${Object.keys(plants).join(', ')}`);
const changes = new Map(
  wanted.map((change): [string, Change] => [new URL(`../../src/${change.file}`, import.meta.url).href, change]),
);

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const change = changes.get(url);
    if (!change) return loaded;
    const source = String(loaded.source);
    const planted = source.replace(change.pattern, change.replacement);
    if (planted === source) throw new Error(`the planted fault found no place in src/${change.file}`);
    return { ...loaded, source: planted };
  },
});
