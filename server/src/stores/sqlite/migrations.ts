/** The schema of the main database, forward only: a step is never edited once it has been released. */

import type { Dialect } from '../sql/migrations/dialect.ts';
import type { Step } from '../sql/migrations/plan.ts';
import { laterMigrations } from '../sql/migrations/steps.ts';

const DIALECT: Dialect = {
  int: 'INTEGER',
  bytes: 'BLOB',
  // AUTOINCREMENT: an ordinal is never given out twice.
  identity: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  strict: 'STRICT',
  isPostgres: false,
};

const INITIAL = `
  CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL,
    master_key_check TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    change_id TEXT NOT NULL,
    audit_sequence INTEGER NOT NULL,
    audit_hash TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE environments (
    ordinal INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    tag TEXT NOT NULL UNIQUE,
    issuer TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 1073741823)
  ) STRICT;

  -- AUTOINCREMENT: an ordinal stands in tokens, so it is never given out twice.
  CREATE TABLE programs (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    program_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 1073741823),
    suspended INTEGER NOT NULL CHECK (suspended IN (0, 1)),
    suspended_reason TEXT,
    suspended_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE clients (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT CHECK (ordinal < 4294967296),
    client_id TEXT NOT NULL UNIQUE,
    program INTEGER NOT NULL REFERENCES programs (ordinal),
    environment INTEGER NOT NULL REFERENCES environments (ordinal),
    name TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 1073741823),
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    suspended_reason TEXT,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    allow_ip TEXT NOT NULL,
    token_lifetime_s INTEGER NOT NULL CHECK (token_lifetime_s BETWEEN 1 AND 86400),
    resource_server INTEGER NOT NULL CHECK (resource_server IN (0, 1)),
    created_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX clients_by_program ON clients (program);

  CREATE TABLE secrets (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT CHECK (ordinal < 4294967296),
    secret_id TEXT NOT NULL UNIQUE,
    client INTEGER NOT NULL REFERENCES clients (ordinal),
    -- An empty or cut digest can never stand here, whatever a faulty update does.
    mac BLOB NOT NULL CHECK (length(mac) = 32),
    pepper_version INTEGER NOT NULL,
    hint TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at_ms INTEGER,
    revoked_at_ms INTEGER,
    killed INTEGER NOT NULL CHECK (killed IN (0, 1)),
    forget_at_ms INTEGER NOT NULL,
    exposed_at_ms INTEGER
  ) STRICT;
  CREATE INDEX secrets_by_client ON secrets (client);

  CREATE TABLE scopes (
    environment INTEGER NOT NULL REFERENCES environments (ordinal),
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (environment, number),
    UNIQUE (environment, name)
  ) STRICT;

  CREATE TABLE scope_sets (
    environment INTEGER NOT NULL REFERENCES environments (ordinal),
    id INTEGER NOT NULL CHECK (id < 4294967296),
    scope TEXT NOT NULL,
    client INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    UNIQUE (environment, scope)
  ) STRICT;
  CREATE INDEX scope_sets_by_client ON scope_sets (client);

  CREATE TABLE resources (
    environment INTEGER NOT NULL REFERENCES environments (ordinal),
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 65535),
    uri TEXT NOT NULL,
    PRIMARY KEY (environment, number),
    UNIQUE (environment, uri)
  ) STRICT;

  CREATE TABLE revoked_tokens (
    jti TEXT PRIMARY KEY,
    client INTEGER NOT NULL,
    forget_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX revoked_tokens_by_client ON revoked_tokens (client);

  CREATE TABLE keys (
    purpose TEXT NOT NULL CHECK (purpose IN ('token', 'secret')),
    environment INTEGER NOT NULL REFERENCES environments (ordinal),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 65535),
    wrapped TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (purpose, environment, version)
  ) STRICT;

  CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY,
    change_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    facts TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX changes_by_target ON changes (target, sequence);

  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    change INTEGER,
    action TEXT NOT NULL,
    line TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_change ON audit (change) WHERE change IS NOT NULL;

  CREATE TABLE nodes (
    node TEXT PRIMARY KEY,
    lease_ms INTEGER NOT NULL,
    renewals INTEGER NOT NULL,
    applied_sequence INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    renewed_at_ms INTEGER NOT NULL,
    version TEXT NOT NULL,
    listen TEXT NOT NULL,
    process TEXT NOT NULL
  ) STRICT;
  `;

const KEY_RETIREMENT = `
  ALTER TABLE keys ADD COLUMN retired_at_ms INTEGER;
  `;

export const MIGRATIONS: readonly Step[] = [
  { name: 'initial', sql: INITIAL, needs: 1 },
  { name: 'key-retirement', sql: KEY_RETIREMENT, needs: 0 },
  ...laterMigrations(DIALECT),
];
