/**
 * Where a PostgreSQL database comes from, so that one that was promoted or brought in from elsewhere is noticed: by every renewal, every
 * registration and every change, within their own transaction. On one machine there is nothing of the kind.
 */

import type { Migration } from './dialect.ts';

export const origin: Migration = ({ isPostgres }) => (isPostgres ? POSTGRES : '');

const POSTGRES = `
  CREATE TABLE origin (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- System identifier and timeline of the cluster that the store was last seen in.
    place TEXT NOT NULL,
    -- Whether the last that is known of that place is that its commits waited for a standby: then its promotion lost none.
    synchronous BIGINT NOT NULL CHECK (synchronous IN (0, 1)),
    longest_lease_ms BIGINT NOT NULL,
    since_ms BIGINT NOT NULL
  );

  -- NULL where it cannot be told: on an engine that has no such thing.
  CREATE FUNCTION present_place() RETURNS TEXT LANGUAGE plpgsql AS $$
  BEGIN
    -- Of the WAL that is being written: the control file hears of a new timeline only with its next checkpoint.
    RETURN (SELECT system_identifier FROM pg_control_system()) || '/' ||
      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
  END $$;

  -- Compares what is with what was, and keeps it. Nobody reads a change of the new place without its new incarnation, as both
  -- come with one commit.
  CREATE FUNCTION notice_origin(lease_ms_of_node BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
  DECLARE
    here TEXT := present_place();
    waits BIGINT := (current_setting('synchronous_standby_names') <> ''
      AND current_setting('synchronous_commit') IN ('on', 'remote_apply'))::int;
    now_ms BIGINT := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    known origin%ROWTYPE;
  BEGIN
    SELECT * INTO known FROM origin WHERE id = 1;
    IF FOUND AND coalesce(here, known.place) = known.place AND known.synchronous = waits
      AND known.longest_lease_ms >= lease_ms_of_node THEN RETURN; END IF;
    -- One at a time, in the order of all changes.
    PERFORM FROM store WHERE id = 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT * INTO known FROM origin WHERE id = 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      INSERT INTO origin (id, place, synchronous, longest_lease_ms, since_ms)
        VALUES (1, coalesce(here, ''), waits, lease_ms_of_node, now_ms) ON CONFLICT DO NOTHING;
      RETURN;
    END IF;
    IF here IS NOT NULL AND here <> known.place AND known.place <> '' THEN
      IF known.synchronous = 0 THEN
        UPDATE store SET incarnation = substr(md5(random()::text || clock_timestamp()::text), 1, 12) WHERE id = 1;
      END IF;
      PERFORM append_audit('store.promote', NULL, format(
        '{"actor":"system:origin","atMs":%s,"action":"store.promote","target":"store",' ||
        '"detail":{"from":"%s","to":"%s","synchronous":%s}}',
        now_ms, known.place, here, (known.synchronous = 1)::text));
      UPDATE origin SET since_ms = now_ms WHERE id = 1;
    END IF;
    UPDATE origin SET place = coalesce(here, place), synchronous = waits,
      longest_lease_ms = greatest(longest_lease_ms, lease_ms_of_node) WHERE id = 1;
  END $$;

  CREATE FUNCTION notice_origin_of_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM notice_origin(0);
    RETURN NULL;
  END $$;
  CREATE TRIGGER changes_notice_origin BEFORE INSERT ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION notice_origin_of_change();

  -- A new incarnation, by whatever act: nodes that nobody knows of may decide by the old one for as long as a lease can be. One row
  -- stands for them all; it never renews, so that receipts and starting nodes wait for it as for any silent node.
  CREATE FUNCTION leave_lost_leases() RETURNS TRIGGER LANGUAGE plpgsql AS $$
  DECLARE
    now_ms BIGINT := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    longest BIGINT := coalesce((SELECT longest_lease_ms FROM origin WHERE id = 1), 0);
  BEGIN
    IF longest = 0 THEN RETURN NEW; END IF;
    INSERT INTO nodes (node, lease_ms, renewals, applied_sequence, started_at_ms, renewed_at_ms, version, listen, process)
      VALUES ('lost:' || OLD.incarnation, longest, now_ms, 0, now_ms, now_ms, '', '', 'whoever the store has lost')
      ON CONFLICT (node) DO UPDATE SET renewals = nodes.renewals + 1;
    RETURN NEW;
  END $$;
  CREATE TRIGGER store_leaves_lost_leases BEFORE UPDATE OF incarnation ON store
    FOR EACH ROW WHEN (OLD.incarnation <> NEW.incarnation) EXECUTE FUNCTION leave_lost_leases();
`;
