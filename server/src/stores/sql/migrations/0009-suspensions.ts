/** Suspensions as rows: what is suspended is what has an open one. Those that stand when this is run become rows. */

import type { Migration } from './dialect.ts';

export const suspensions: Migration = ({ int, identity, strict }) => `
  CREATE TABLE suspensions (
    ordinal ${identity},
    program ${int} REFERENCES programs (ordinal),
    client ${int} REFERENCES clients (ordinal),
    reason TEXT NOT NULL,
    opened_at_ms ${int} NOT NULL,
    opened_by TEXT NOT NULL,
    until_ms ${int},
    -- One of many that were opened by one change, which so is not about this one alone.
    bulk ${int} NOT NULL CHECK (bulk IN (0, 1)),
    -- What its end needs, where reactivations need an approval.
    approval_id TEXT,
    closed_at_ms ${int},
    closed_by TEXT,
    CHECK ((program IS NULL) <> (client IS NULL)),
    CHECK ((closed_at_ms IS NULL) = (closed_by IS NULL))
  ) ${strict};
  CREATE INDEX suspensions_by_program ON suspensions (program) WHERE program IS NOT NULL;
  CREATE INDEX suspensions_by_client ON suspensions (client) WHERE client IS NOT NULL;
  CREATE INDEX suspensions_by_end ON suspensions (until_ms) WHERE closed_at_ms IS NULL AND until_ms IS NOT NULL;

  INSERT INTO suspensions (program, client, reason, opened_at_ms, opened_by, bulk)
    SELECT ordinal, NULL, COALESCE(suspended_reason, ''), COALESCE(suspended_at_ms, created_at_ms), 'system:migration', 0
    FROM programs WHERE suspended = 1 ORDER BY ordinal;
  INSERT INTO suspensions (program, client, reason, opened_at_ms, opened_by, bulk)
    SELECT NULL, ordinal, COALESCE(suspended_reason, ''),
      COALESCE((SELECT MAX(at_ms) FROM changes WHERE kind = 'client.suspend' AND target = client_id), created_at_ms),
      'system:migration', 0
    FROM clients WHERE state = 'suspended' ORDER BY ordinal;
`;
