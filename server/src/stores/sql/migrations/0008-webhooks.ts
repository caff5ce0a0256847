/** Whom the audit trail is told to, and how far. */

import type { Migration } from './dialect.ts';

export const webhooks: Migration = ({ int, strict }) => `
  CREATE TABLE webhooks (
    webhook_id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    sends TEXT NOT NULL CHECK (sends IN ('audit', 'notices')),
    program_id TEXT,
    wrapped TEXT,
    line ${int} NOT NULL,
    checkpoint_line ${int} NOT NULL,
    disabled ${int} NOT NULL CHECK (disabled IN (0, 1)),
    created_at_ms ${int} NOT NULL,
    created_by TEXT NOT NULL,
    delivered_at_ms ${int},
    failures ${int} NOT NULL,
    next_try_at_ms ${int} NOT NULL,
    problem TEXT
  ) ${strict};
`;
