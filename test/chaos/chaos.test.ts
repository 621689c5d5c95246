import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { whyNoPostgres } from '../services/postgres.ts';
import { python } from '../services/validators.ts';
import { edges } from './edge-names.ts';

/** The chaos run as `npm run chaos` does it, in its short edition. `docs/reliability.md` tells of the long one. */

const run = existsSync(python) || process.env['CI'] ? test : test.skip;
if (run === test.skip) process.stderr.write('skipped: the auditor needs pydicom (test/services/install.sh)\n');

const noDatabase = whyNoPostgres();
if (noDatabase !== null && process.env['CI']) throw new Error(`in CI nothing is skipped: ${noDatabase}`);
const runSeveral = noDatabase === null ? run : test.skip;

function chaos(...args: readonly string[]): { readonly code: number | null; readonly text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-gateway-chaos-'));
  try {
    const command = [join(import.meta.dirname, 'index.ts'), '--out', join(folder, 'run'), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
    return { code: status, text: `${stdout}${stderr}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a gateway that is killed at every edge while its servers misbehave (faults 42 and 66)', () => {
  run(
    'loses nothing and doubles nothing of 500 studies, because that is the promise',
    () => {
      const { code, text } = chaos('--studies', '500', '--kills', '4', '--faults', '0.05', '--seed', '1');
      expect(text).toContain(
        'lost 0, duplicate 0, wrong patient 0, other bytes 0, disagreement 0, no reason 0, told 0',
      );
      expect(text).toContain(`kills at edges ${edges.length},`);
      expect(code).toBe(0);
    },
    900_000,
  );

  const few = ['--studies', '40', '--kills', '3', '--no-edges', '--faults', '0.25', '--minutes', '0.2', '--seed', '9'];

  run(
    'is found out when it takes the word of the archive for a receipt, because an auditor that finds nothing proves nothing',
    () => {
      const { code, text } = chaos(...few, '--plant', 'confirmation');
      expect(text).toMatch(/lost [1-9]/);
      expect(code).toBe(1);
    },
    300_000,
  );

  run(
    'is found out when it delivers other bytes than it recorded first, because they would be two results',
    () => {
      const { code, text } = chaos(...few, '--plant', 'record');
      expect(text).toMatch(/other bytes [1-9]/);
      expect(code).toBe(1);
    },
    300_000,
  );
});

describe('three gateways on one PostgreSQL database, of which one at a time is killed while their servers misbehave (fault 62)', () => {
  const three = ['--gateways', '3', '--studies', '40', '--no-edges', '--seed', '3'];

  runSeveral(
    'lose nothing and double nothing, because the others take over what a dead one had begun',
    () => {
      const { code, text } = chaos(...three, '--kills', '5', '--faults', '0.1');
      expect(text).toContain(
        'lost 0, duplicate 0, wrong patient 0, other bytes 0, disagreement 0, no reason 0, told 0',
      );
      expect(text).toContain('random 5');
      // Each of them did a part of it.
      expect(text).toMatch(/gateway-1 [1-9]\d*, gateway-2 [1-9]\d*, gateway-3 [1-9]/);
      expect(code).toBe(0);
    },
    600_000,
  );
});
