/** Approvals: what one person asks for and another one allows. And changes of many, each with an audit line of its own. */

import type { Migration } from './dialect.ts';

export const approvals: Migration = ({ int, strict, isPostgres }) => `
  CREATE TABLE approvals (
    approval_id TEXT PRIMARY KEY,
    asked_at_ms ${int} NOT NULL,
    asked_by TEXT NOT NULL,
    expires_at_ms ${int} NOT NULL,
    -- What is asked for: a change as the store takes it, JSON; and the program, client or policy that it is about.
    change TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'granted', 'refused')),
    decided_at_ms ${int},
    decided_by TEXT,
    CHECK ((state = 'pending') = (decided_by IS NULL))
  ) ${strict};
  CREATE INDEX approvals_pending ON approvals (target) WHERE state = 'pending';
  ${isPostgres ? APPEND_MANY : ''}
`;

/**
 * The lines of one change in one go: the head row is written once, as each version of a row that a transaction leaves behind is
 * walked over by its next look at it. Their time is that of the change's own line, which stands before them.
 */
const APPEND_MANY = `
  CREATE FUNCTION append_audit_lines(change_of_lines BIGINT, at_ms_of_lines BIGINT, lines JSON)
  RETURNS VOID LANGUAGE plpgsql AS $$
  DECLARE
    head store%ROWTYPE;
    entry RECORD;
    next_line TEXT;
  BEGIN
    SELECT * INTO head FROM store WHERE id = 1 FOR NO KEY UPDATE;
    FOR entry IN SELECT value->>'action' AS action, value->>'line' AS line FROM json_array_elements(lines) LOOP
      next_line := '{"change":' || change_of_lines || ',' || entry.line;
      IF at_ms_of_lines < head.audit_at_ms THEN
        next_line := regexp_replace(next_line, '"atMs":-?[0-9]+', '"atMs":' || head.audit_at_ms);
      END IF;
      head.audit_sequence := head.audit_sequence + 1;
      head.audit_hash := encode(sha256(convert_to(
        head.audit_hash || E'\\n' || head.audit_sequence || E'\\n' || next_line, 'UTF8')), 'hex');
      INSERT INTO audit (sequence, change, action, line, hash)
        VALUES (head.audit_sequence, change_of_lines, entry.action, next_line, head.audit_hash);
    END LOOP;
    UPDATE store SET audit_sequence = head.audit_sequence, audit_hash = head.audit_hash WHERE id = 1;
  END $$;

  CREATE OR REPLACE FUNCTION append_change() RETURNS BIGINT LANGUAGE plpgsql AS $$
  DECLARE
    closing RECORD;
    next_sequence BIGINT;
  BEGIN
    -- Read once: each look into a text of JSON reads all of it.
    SELECT * INTO closing FROM json_to_record(current_setting('countersign.change')::json)
      AS given("changeId" TEXT, kind TEXT, target TEXT, facts TEXT, "atMs" BIGINT, line TEXT, lines JSON);
    UPDATE store SET sequence = sequence + 1, change_id = closing."changeId" WHERE id = 1
      RETURNING sequence INTO next_sequence;
    INSERT INTO changes (sequence, change_id, kind, target, facts, at_ms)
      VALUES (next_sequence, closing."changeId", closing.kind, closing.target, closing.facts, closing."atMs");
    PERFORM append_audit(closing.kind, next_sequence, '{"change":' || next_sequence || ',' || closing.line);
    IF closing.lines IS NOT NULL THEN
      PERFORM append_audit_lines(next_sequence, closing."atMs", closing.lines);
    END IF;
    PERFORM pg_notify('countersign', next_sequence::text);
    RETURN next_sequence;
  END $$;
`;
