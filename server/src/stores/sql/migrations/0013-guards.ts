/** What a client is held to beyond its secret: where its tokens may be used from, and how many of them it may get. */

import type { Migration } from './dialect.ts';

export const guards: Migration = ({ int, strict }) => `
  ALTER TABLE clients ADD COLUMN verify_address ${int} NOT NULL DEFAULT 0;
  ALTER TABLE clients ADD COLUMN token_quota ${int};
  ALTER TABLE clients ADD COLUMN quota_enforced ${int} NOT NULL DEFAULT 0;

  -- What each node has given out of a client's hourly quota, so that the others count it too. Rows of past hours go.
  CREATE TABLE quota_uses (
    client ${int} NOT NULL,
    hour ${int} NOT NULL,
    node TEXT NOT NULL,
    tokens ${int} NOT NULL,
    PRIMARY KEY (client, hour, node)
  ) ${strict};
`;
