/** What an installation has decided for all who work with it, whichever door they come through. */

import type { Migration } from './dialect.ts';

export const policies: Migration = ({ int, strict }) => `
  CREATE TABLE policies (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    set_at_ms ${int} NOT NULL,
    set_by TEXT NOT NULL
  ) ${strict};
`;
