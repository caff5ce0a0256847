/** The driver of PostgreSQL, loaded when a database is first opened: an installation on SQLite never loads it. */

import { createRequire } from 'node:module';
import type pg from 'pg';

const require = createRequire(import.meta.url);

export function driver(): typeof pg {
  return require('pg') as typeof pg;
}
