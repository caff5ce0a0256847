/** When a client was last reported as dormant, so that each dormancy is reported once. */

import type { Migration } from './dialect.ts';

export const dormancy: Migration = ({ int }) => `
  ALTER TABLE clients ADD COLUMN dormant_at_ms ${int};
`;
