/** Recurring work and who does it; signed checkpoints of the audit trail and the key they are signed with; a trail whose time never goes back. */

import type { Migration } from './dialect.ts';

export const audit: Migration = ({ int, strict, isPostgres }) => `
  CREATE TABLE duties (
    duty TEXT PRIMARY KEY,
    every_ms ${int} NOT NULL,
    holder TEXT NOT NULL,
    started_at_ms ${int} NOT NULL,
    free_at_ms ${int} NOT NULL,
    ended_at_ms ${int},
    failures ${int} NOT NULL,
    problem TEXT
  ) ${strict};

  CREATE TABLE signing_keys (
    key_id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    created_at_ms ${int} NOT NULL
  ) ${strict};

  CREATE TABLE checkpoints (
    sequence ${int} PRIMARY KEY,
    hash TEXT NOT NULL,
    at_ms ${int} NOT NULL,
    incarnation TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL
  ) ${strict};

  -- Time of the last line: the next one is never before it, whatever a wall clock says.
  ALTER TABLE store ADD COLUMN audit_at_ms ${int} NOT NULL DEFAULT 0;
  UPDATE store SET audit_at_ms = COALESCE((
    SELECT ${isPostgres ? `(line::json->>'atMs')::bigint` : `json_extract(line, '$.atMs')`}
    FROM audit WHERE audit.sequence = store.audit_sequence), 0);
  ${isPostgres ? APPEND_IN_TIME : ''}
`;

/**
 * Nodes of the version before call it as well, and so get their time mended too. In a JSON text a quotation mark inside a string
 * follows a backslash, so that "atMs": can only be the member, and the line's own stands before its detail.
 */
const APPEND_IN_TIME = `
  CREATE OR REPLACE FUNCTION append_audit(action_of_line TEXT, change_of_line BIGINT, text_of_line TEXT)
  RETURNS VOID LANGUAGE plpgsql AS $$
  DECLARE
    head store%ROWTYPE;
    next_line TEXT := text_of_line;
    next_at_ms BIGINT := (text_of_line::json->>'atMs')::bigint;
    next_hash TEXT;
  BEGIN
    SELECT * INTO head FROM store WHERE id = 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the store has no head row: it was never initialised';
    END IF;
    IF next_at_ms < head.audit_at_ms THEN
      next_at_ms := head.audit_at_ms;
      next_line := regexp_replace(text_of_line, '"atMs":-?[0-9]+', '"atMs":' || next_at_ms);
    END IF;
    next_hash := encode(sha256(convert_to(
      head.audit_hash || E'\\n' || (head.audit_sequence + 1) || E'\\n' || next_line, 'UTF8')), 'hex');
    INSERT INTO audit (sequence, change, action, line, hash)
      VALUES (head.audit_sequence + 1, change_of_line, action_of_line, next_line, next_hash);
    UPDATE store SET audit_sequence = head.audit_sequence + 1, audit_hash = next_hash, audit_at_ms = next_at_ms
      WHERE id = 1;
  END $$;
`;
