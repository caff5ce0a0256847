/** Makes an installation large, quickly and from below: rows as the commands leave them, while no server runs. Measures nothing. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fillJournal } from './journal-rows.ts';

export type Size = {
  readonly clients: number;
  readonly journalRows: number;
  /** Live tokens that were revoked one by one. */
  readonly revoked: number;
};

const HOUR_MS = 3_600_000;

/** Fills the data directory of an authority that was onboarded and stopped. */
export function enlarge(data: string, size: Size): void {
  const database = new DatabaseSync(join(data, 'countersign.db'));
  try {
    database.exec('BEGIN IMMEDIATE');
    // But for their secrets, which nobody needs here.
    database
      .prepare(
        `INSERT INTO clients (client_id, program, environment, name, generation, state, scope, resources, allow_ip,
           token_lifetime_s, resource_server, created_at_ms)
         SELECT 'client_test_' || printf('%016d', n), 1, 1, 'fleet ' || n, 0, 'active', '', '[]', '[]', 3600, 0, ?2
         FROM ${SERIES}`,
      )
      // Made just now: clients that nobody has used for months would be reported as dormant, one by one, all through the measurement.
      .run(size.clients, Date.now());
    // A jti is twelve bytes, written as sixteen characters; spread over all clients.
    database
      .prepare(
        `INSERT INTO revoked_tokens (jti, client, forget_at_ms)
         SELECT printf('%016d', n), 1 + n % ?2, ?3 FROM ${SERIES}`,
      )
      .run(size.revoked, size.clients, Date.now() + HOUR_MS * 12);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
  if (size.journalRows > 0) fillJournal(data, { rows: size.journalRows, clients: size.clients });
}

const SERIES =
  '(WITH RECURSIVE s(n) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT n + 1 FROM s WHERE n < ?1) SELECT n FROM s)';
