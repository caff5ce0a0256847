/** What was refused: how often in each hour, to whom, from where and why. Rows of one hour are few, whoever tries how often. */

import type { Migration } from './dialect.ts';

export const refusals: Migration = ({ int, strict }) => `
  CREATE TABLE refusals (
    hour ${int} NOT NULL,
    environment ${int} NOT NULL,
    client ${int} NOT NULL,
    secret ${int} NOT NULL,
    reason TEXT NOT NULL,
    address TEXT NOT NULL,
    count ${int} NOT NULL,
    first_at_ms ${int} NOT NULL,
    last_at_ms ${int} NOT NULL,
    PRIMARY KEY (hour, environment, client, secret, reason, address)
  ) ${strict};
  CREATE INDEX refusals_by_client ON refusals (client, hour);
`;
