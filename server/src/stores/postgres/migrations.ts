/** The schema on PostgreSQL, forward only: a step is never edited once it has been released. */

import type { Dialect } from '../sql/migrations/dialect.ts';
import type { Step } from '../sql/migrations/plan.ts';
import { laterMigrations } from '../sql/migrations/steps.ts';

const DIALECT: Dialect = {
  int: 'BIGINT',
  bytes: 'BYTEA',
  identity: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  strict: '',
  isPostgres: true,
};

const INITIAL = `
  CREATE TABLE store (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL,
    master_key_check TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    change_id TEXT NOT NULL,
    audit_sequence BIGINT NOT NULL,
    audit_hash TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
  );

  CREATE TABLE environments (
    ordinal BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    tag TEXT NOT NULL UNIQUE,
    issuer TEXT NOT NULL,
    generation BIGINT NOT NULL CHECK (generation BETWEEN 0 AND 1073741823)
  );

  -- Ordinals stand in tokens: an identity gives none out twice, also not one that was rolled back.
  CREATE TABLE programs (
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    program_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL CHECK (generation BETWEEN 0 AND 1073741823),
    suspended BIGINT NOT NULL CHECK (suspended IN (0, 1)),
    suspended_reason TEXT,
    suspended_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL
  );

  CREATE TABLE clients (
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (ordinal < 4294967296),
    client_id TEXT NOT NULL UNIQUE,
    program BIGINT NOT NULL REFERENCES programs (ordinal),
    environment BIGINT NOT NULL REFERENCES environments (ordinal),
    name TEXT NOT NULL,
    generation BIGINT NOT NULL CHECK (generation BETWEEN 0 AND 1073741823),
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    suspended_reason TEXT,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    allow_ip TEXT NOT NULL,
    token_lifetime_s BIGINT NOT NULL CHECK (token_lifetime_s BETWEEN 1 AND 86400),
    resource_server BIGINT NOT NULL CHECK (resource_server IN (0, 1)),
    created_at_ms BIGINT NOT NULL
  );
  CREATE INDEX clients_by_program ON clients (program);

  CREATE TABLE secrets (
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (ordinal < 4294967296),
    secret_id TEXT NOT NULL UNIQUE,
    client BIGINT NOT NULL REFERENCES clients (ordinal),
    -- An empty or cut digest can never stand here, whatever a faulty update does.
    mac BYTEA NOT NULL CHECK (octet_length(mac) = 32),
    pepper_version BIGINT NOT NULL,
    hint TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT,
    killed BIGINT NOT NULL CHECK (killed IN (0, 1)),
    forget_at_ms BIGINT NOT NULL,
    exposed_at_ms BIGINT
  );
  CREATE INDEX secrets_by_client ON secrets (client);

  CREATE TABLE scopes (
    environment BIGINT NOT NULL REFERENCES environments (ordinal),
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (environment, number),
    UNIQUE (environment, name)
  );

  CREATE TABLE scope_sets (
    environment BIGINT NOT NULL REFERENCES environments (ordinal),
    id BIGINT NOT NULL CHECK (id < 4294967296),
    scope TEXT NOT NULL,
    client BIGINT NOT NULL,
    PRIMARY KEY (environment, id),
    UNIQUE (environment, scope)
  );
  CREATE INDEX scope_sets_by_client ON scope_sets (client);

  CREATE TABLE resources (
    environment BIGINT NOT NULL REFERENCES environments (ordinal),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 65535),
    uri TEXT NOT NULL,
    PRIMARY KEY (environment, number),
    UNIQUE (environment, uri)
  );

  CREATE TABLE revoked_tokens (
    jti TEXT PRIMARY KEY,
    client BIGINT NOT NULL,
    forget_at_ms BIGINT NOT NULL
  );
  CREATE INDEX revoked_tokens_by_client ON revoked_tokens (client);

  CREATE TABLE keys (
    purpose TEXT NOT NULL CHECK (purpose IN ('token', 'secret')),
    environment BIGINT NOT NULL REFERENCES environments (ordinal),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 65535),
    wrapped TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    retired_at_ms BIGINT,
    PRIMARY KEY (purpose, environment, version)
  );

  CREATE TABLE changes (
    sequence BIGINT PRIMARY KEY,
    change_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    facts TEXT NOT NULL,
    at_ms BIGINT NOT NULL
  );
  CREATE INDEX changes_by_target ON changes (target, sequence);

  CREATE TABLE audit (
    sequence BIGINT PRIMARY KEY,
    change BIGINT,
    action TEXT NOT NULL,
    line TEXT NOT NULL,
    hash TEXT NOT NULL
  );
  CREATE INDEX audit_by_change ON audit (change) WHERE change IS NOT NULL;

  CREATE TABLE nodes (
    node TEXT PRIMARY KEY,
    lease_ms BIGINT NOT NULL,
    renewals BIGINT NOT NULL,
    applied_sequence BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    renewed_at_ms BIGINT NOT NULL,
    version TEXT NOT NULL,
    listen TEXT NOT NULL,
    process TEXT NOT NULL
  ) WITH (fillfactor = 50);

  -- Appends one line to the audit trail (ports/audit-chain.ts has the rule). Holds the head row until the end of the transaction.
  CREATE FUNCTION append_audit(action_of_line TEXT, change_of_line BIGINT, text_of_line TEXT)
  RETURNS VOID LANGUAGE plpgsql AS $$
  DECLARE
    head store%ROWTYPE;
    next_hash TEXT;
  BEGIN
    SELECT * INTO head FROM store WHERE id = 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the store has no head row: it was never initialised';
    END IF;
    next_hash := encode(sha256(convert_to(
      head.audit_hash || E'\\n' || (head.audit_sequence + 1) || E'\\n' || text_of_line, 'UTF8')), 'hex');
    INSERT INTO audit (sequence, change, action, line, hash)
      VALUES (head.audit_sequence + 1, change_of_line, action_of_line, text_of_line, next_hash);
    UPDATE store SET audit_sequence = head.audit_sequence + 1, audit_hash = next_hash WHERE id = 1;
  END $$;

  -- The end of every change: numbers it, logs it, writes its audit line and wakes the nodes. What it logs was left in the
  -- transaction's own setting, so that it takes no parameter and goes out in one message with its COMMIT.
  CREATE FUNCTION append_change() RETURNS BIGINT LANGUAGE plpgsql AS $$
  DECLARE
    closing JSON := current_setting('countersign.change')::json;
    next_sequence BIGINT;
  BEGIN
    UPDATE store SET sequence = sequence + 1, change_id = closing->>'changeId' WHERE id = 1
      RETURNING sequence INTO next_sequence;
    INSERT INTO changes (sequence, change_id, kind, target, facts, at_ms)
      VALUES (next_sequence, closing->>'changeId', closing->>'kind', closing->>'target',
        closing->>'facts', (closing->>'atMs')::bigint);
    PERFORM append_audit(closing->>'kind', next_sequence,
      '{"change":' || next_sequence || ',' || (closing->>'line'));
    PERFORM pg_notify('countersign', next_sequence::text);
    RETURN next_sequence;
  END $$;

  -- On the role, as a session's own settings are lost behind a pooler: a stopped process holds nothing for long.
  DO $$
  DECLARE
    setting TEXT;
  BEGIN
    FOREACH setting IN ARRAY ARRAY[
      'statement_timeout = ''10s''', 'lock_timeout = ''4s''', 'idle_in_transaction_session_timeout = ''4s'''
    ] LOOP
      EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET %s', current_database(), setting);
    END LOOP;
  END $$;
  `;

const JOURNAL = `
  -- The issuance journal. A partition holds what was committed on one day of the database's clock.
  CREATE TABLE issued_tokens (
    committed_at_ms BIGINT NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    issued_at_ms BIGINT NOT NULL,
    lifetime_s BIGINT NOT NULL,
    client BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    secret BIGINT NOT NULL,
    scope_set BIGINT NOT NULL,
    resource BIGINT NOT NULL,
    jti BYTEA NOT NULL CHECK (octet_length(jti) = 12),
    address BYTEA NOT NULL CHECK (octet_length(address) = 16)
  ) PARTITION BY RANGE (committed_at_ms);
  CREATE INDEX issued_tokens_by_client ON issued_tokens (client, issued_at_ms);

  -- Makes partitions ahead and drops, whole, those that are older than the retention. Any number of nodes may ask at once.
  -- A partition is attached, not created in place: that would hold up every insert.
  CREATE FUNCTION prepare_journal(retention_ms BIGINT, days_ahead INT) RETURNS VOID
  LANGUAGE plpgsql AS $$
  DECLARE
    day_ms CONSTANT BIGINT := 86400000;
    now_ms BIGINT := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    kept_from BIGINT := (now_ms - retention_ms) / day_ms;
    day BIGINT;
    partition TEXT;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('countersign.journal'));
    FOR day IN SELECT generate_series(now_ms / day_ms, now_ms / day_ms + days_ahead) LOOP
      partition := 'issued_tokens_' || day;
      CONTINUE WHEN EXISTS (
        SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'issued_tokens'::regclass AND relname = partition);
      EXECUTE format('CREATE TABLE %I (LIKE issued_tokens INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
      EXECUTE format('ALTER TABLE issued_tokens ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
        partition, day * day_ms, (day + 1) * day_ms);
    END LOOP;
    FOR partition IN
      SELECT inhrelid::regclass::text FROM pg_inherits
      WHERE inhparent = 'issued_tokens'::regclass
        AND substring(inhrelid::regclass::text FROM '[0-9]+$')::bigint < kept_from
    LOOP
      EXECUTE 'DROP TABLE ' || partition;
    END LOOP;
  END $$;
  `;

export const MIGRATIONS: readonly Step[] = [
  { name: 'initial', sql: INITIAL, needs: 1 },
  { name: 'journal', sql: JOURNAL, needs: 0 },
  ...laterMigrations(DIALECT),
];
