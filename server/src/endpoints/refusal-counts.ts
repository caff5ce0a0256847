/**
 * Counts what is refused, by hour, environment, client, secret, reason and address, in bounded memory, and writes it down every few
 * seconds. No answer waits for it; a crash loses what was counted since the last write.
 */

import type { Reason } from '@countersign/protocol';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { OTHER_ADDRESSES, type RefusalCount } from '../ports/refusal-counts.ts';
import type { Changes } from '../ports/store.ts';
import type { RefusedAt, RefusedParty } from './refused.ts';

const WRITE_INTERVAL_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Rows that one node begins in an hour; what does not fit counts for its reason, under no address. */
const ROWS_PER_HOUR_MAX = 500;
/** Of these, of one client: or whoever knows its public id would crowd out the others. */
const ROWS_PER_CLIENT_MAX = 50;
/** Rows a write, so that none holds up a change for more than a few milliseconds. */
const BATCH_MAX = 200;

export type RefusalCounts = {
  counted(reason: Reason, at: RefusedAt, party: RefusedParty): void;
  /** Writes what there is, and nothing after it. Never rejects. */
  stop(): Promise<void>;
};

type Row = { -readonly [Name in keyof RefusalCount]: RefusalCount[Name] };

export function newRefusalCounts(deps: {
  readonly changes: Pick<Changes, 'noteRefusals'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with every write, for what else is to be said now and then. */
  readonly onWrite: () => void;
}): RefusalCounts {
  const { changes, clock, log, onWrite } = deps;
  const stopped = new AbortController();
  let hour = 0;
  let rows = new Map<string, Row>();
  let rowsOf = new Map<number, number>();
  /** Of the hour before, not written yet. */
  let earlier: readonly Row[] = [];

  const beginHour = (next: number): void => {
    earlier = [...rows.values()].filter(({ count }) => count > 0);
    hour = next;
    rows = new Map();
    rowsOf = new Map();
  };

  const fits = (client: number): boolean =>
    rows.size < ROWS_PER_HOUR_MAX && (rowsOf.get(client) ?? 0) < ROWS_PER_CLIENT_MAX;

  /** The row of these names; when there is no room for one more, that of the reason: there are not more of these than reasons. */
  const rowFor = (named: Omit<Row, 'count' | 'firstAtMs' | 'lastAtMs'>, atMs: number): Row => {
    const { environment, client, secret, reason, address } = named;
    const key = `${environment}/${client}/${secret}/${reason}/${address}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const isOther = address === OTHER_ADDRESSES;
    if (!isOther && !fits(client)) {
      // Of a client that has rows already, what is left out stays its own.
      const owner = rowsOf.has(client) ? client : 0;
      const other = { ...named, client: owner, secret: 0, address: OTHER_ADDRESSES };
      return rowFor({ ...other, environment: owner === 0 ? 0 : environment }, atMs);
    }
    const row = { ...named, count: 0, firstAtMs: atMs, lastAtMs: atMs };
    rows.set(key, row);
    rowsOf.set(client, (rowsOf.get(client) ?? 0) + 1);
    return row;
  };

  const write = async (batch: readonly Row[]): Promise<void> => {
    await changes.noteRefusals(batch.map((row) => ({ ...row })));
  };

  const writeAll = async (): Promise<void> => {
    while (earlier.length > 0) {
      const batch = earlier.slice(0, BATCH_MAX);
      await write(batch);
      earlier = earlier.slice(batch.length);
    }
    const due = [...rows.values()].filter(({ count }) => count > 0);
    for (let at = 0; at < due.length; at += BATCH_MAX) {
      const batch = due.slice(at, at + BATCH_MAX);
      const written = batch.map((row) => ({ ...row }));
      await write(written);
      // What was counted meanwhile is due with the next write.
      for (const [index, row] of batch.entries()) {
        row.count -= written[index]?.count ?? 0;
        row.firstAtMs = row.lastAtMs;
      }
    }
  };

  const writeOrSay = (): Promise<void> =>
    writeAll().catch((error: Error) =>
      // They stay in memory, and are written once the store answers.
      log.warn({ cause: error.message }, 'refused attempts could not be written down yet'),
    );

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(WRITE_INTERVAL_MS, stopped.signal);
      if (stopped.signal.aborted) return;
      onWrite();
      await writeOrSay();
    }
  };
  const running = run();

  return {
    counted: (reason, at, party) => {
      const atMs = clock.wallMs();
      const now = Math.floor(atMs / HOUR_MS);
      if (now !== hour) beginHour(now);
      const row = rowFor(
        {
          hour,
          environment: at.environment?.ordinal ?? 0,
          client: party.client?.ordinal ?? 0,
          secret: party.secret ?? 0,
          reason,
          address: at.address,
        },
        atMs,
      );
      if (row.count === 0) row.firstAtMs = atMs;
      row.count += 1;
      row.lastAtMs = atMs;
    },
    stop: async () => {
      stopped.abort();
      await running;
      await writeOrSay();
    },
  };
}
