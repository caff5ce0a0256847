/**
 * What people want to know of a secret: its name, when it was last used and from where, how near its end was announced. Uses have a table
 * of their own, so that no use rewrites the row of a credential.
 */

import type { Migration } from './dialect.ts';

export const secretLives: Migration = ({ int, strict }) => `
  ALTER TABLE secrets ADD COLUMN name TEXT;
  ALTER TABLE secrets ADD COLUMN notified_days ${int};
  CREATE INDEX secrets_by_expiry ON secrets (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

  CREATE TABLE secret_uses (
    secret ${int} PRIMARY KEY,
    at_ms ${int} NOT NULL,
    address TEXT NOT NULL
  ) ${strict};
`;
