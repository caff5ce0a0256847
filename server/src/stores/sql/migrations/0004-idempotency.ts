/** What has been created under which key of its caller, so that a creation that is asked for again happens once. */

import type { Migration } from './dialect.ts';

export const idempotency: Migration = ({ int, strict }) => `
  CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    made TEXT NOT NULL,
    created_at_ms ${int} NOT NULL,
    PRIMARY KEY (caller, key)
  ) ${strict};
  CREATE INDEX idempotency_by_age ON idempotency (created_at_ms);
`;
