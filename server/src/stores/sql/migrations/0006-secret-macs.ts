/** Whose secret it is that somebody found: told by its keyed hash alone, as a stranger's report names no client. */

import type { Migration } from './dialect.ts';

export const secretMacs: Migration = () => `
  CREATE INDEX secrets_by_mac ON secrets (mac);
`;
