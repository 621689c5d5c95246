import type { Memory } from '../core/ports.ts';
import { type Engine, one, run } from './work.ts';

const where = 'the memory of a source';

/** What the source `owner` remembers between two starts, on the tables of a store. */
export function createMemory(engine: Engine, owner: string): Memory {
  return {
    async get(key) {
      const get = 'SELECT json FROM memory WHERE owner = $1 AND key = $2';
      const row = await engine.read(where, () => one<{ readonly json: string }>(get, owner, key));
      return row === undefined ? undefined : JSON.parse(row.json);
    },
    set(key, value) {
      const set = `INSERT INTO memory (owner, key, json) VALUES ($1, $2, $3)
        ON CONFLICT (owner, key) DO UPDATE SET json = excluded.json`;
      return engine.transaction(where, () => run(set, owner, key, JSON.stringify(value ?? null)));
    },
  };
}
