import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Removes what an earlier build left: a file that is gone from src/ must not stay in the package. */
rmSync(join(import.meta.dirname, '../dist'), { recursive: true, force: true });
