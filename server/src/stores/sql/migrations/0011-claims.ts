/** One-time claims of secrets that do not exist yet. Codes and passphrases stand here as keyed hashes only. */

import type { Migration } from './dialect.ts';

export const claims: Migration = ({ int, bytes, strict }) => `
  CREATE TABLE claims (
    claim_id TEXT PRIMARY KEY,
    client ${int} NOT NULL REFERENCES clients (ordinal),
    purpose TEXT NOT NULL CHECK (purpose IN ('create', 'rotate')),
    code_mac ${bytes} NOT NULL CHECK (length(code_mac) = 32),
    passphrase_mac ${bytes} CHECK (length(passphrase_mac) = 32),
    key_version ${int} NOT NULL,
    secret_name TEXT,
    secret_expires_at_ms ${int},
    overlap_ms ${int} NOT NULL,
    created_at_ms ${int} NOT NULL,
    created_by TEXT NOT NULL,
    expires_at_ms ${int} NOT NULL,
    failures ${int} NOT NULL,
    used_at_ms ${int},
    used_from TEXT,
    secret ${int},
    stopped_at_ms ${int},
    revoked_at_ms ${int}
  ) ${strict};
  CREATE INDEX claims_by_client ON claims (client);
`;
