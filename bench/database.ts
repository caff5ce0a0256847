/** The one PostgreSQL of a bench run, made for it and placed beside the load. Knows no schema but the journal's name. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../server/src/testing/postgres.ts';
import type { Placement } from './machine.ts';

export type BenchDatabase = {
  readonly pid: number;
  newDatabase(): Promise<string>;
  /** Tokens that an authority has on record there. */
  countTokens(url: string): Promise<number>;
  stop(): Promise<void>;
};

/** Every fsync is on, as in the tests. */
export async function startDatabase(placement: Placement): Promise<BenchDatabase> {
  const postgres = await startPostgres();
  if (typeof postgres === 'string') throw new Error(postgres);
  const pid = Number.parseInt(readFileSync(join(postgres.directory, 'postmaster.pid'), 'utf8'), 10);
  placement.moveToLoadCore(pid);
  return {
    pid,
    newDatabase: postgres.newDatabase,
    stop: postgres.stop,
    countTokens: async (url) => {
      const [row] = await postgres.asSuperuser(url, 'select count(*) as rows from issued_tokens');
      return Number(row?.['rows']);
    },
  };
}
