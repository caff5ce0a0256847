/** Refused attempts, counted by hour: nodes add what they have counted, people read sums. None of it decides anything. */

import { sql } from 'kysely';
import type { RefusalCount, RefusalQuery } from '../../ports/refusal-counts.ts';
import { all, db, run, type Steps } from './schema.ts';

const HOUR_MS = 3_600_000;
/** As long as the journal keeps tokens; what names no client is a stranger's noise and leaves sooner. */
const KEPT_HOURS = 400 * 24;
const STRANGERS_KEPT_HOURS = 30 * 24;

/** Adds counts to what is there, in the one order of all writers, so that no two wait for each other. */
export function* noteRefusals(counts: readonly RefusalCount[]): Steps<void> {
  if (counts.length === 0) return;
  const rows = counts.map(({ hour, environment, client, secret, reason, address, ...of }) => ({
    ...{ hour, environment, client, secret, reason, address },
    count: of.count,
    first_at_ms: of.firstAtMs,
    last_at_ms: of.lastAtMs,
  }));
  rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  yield* run(
    db
      .insertInto('refusals')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['hour', 'environment', 'client', 'secret', 'reason', 'address'])
          .doUpdateSet({
            count: sql`refusals.count + excluded.count`,
            // Nodes' clocks differ, so either may be the earlier.
            first_at_ms: sql`case when excluded.first_at_ms < refusals.first_at_ms then excluded.first_at_ms else refusals.first_at_ms end`,
            last_at_ms: sql`case when excluded.last_at_ms > refusals.last_at_ms then excluded.last_at_ms else refusals.last_at_ms end`,
          }),
      ),
  );
}

/** The counts of whole hours that touch a span of time, latest first. */
export function* refusalCounts(query: RefusalQuery): Steps<readonly RefusalCount[]> {
  let selected = db
    .selectFrom('refusals')
    .selectAll()
    .where('hour', '>=', Math.floor(query.sinceMs / HOUR_MS))
    .where('hour', '<=', Math.floor(query.untilMs / HOUR_MS))
    .where('last_at_ms', '>=', query.sinceMs)
    .where('first_at_ms', '<=', query.untilMs);
  if (query.client !== undefined) selected = selected.where('client', '=', query.client);
  const rows = yield* all(
    selected.orderBy('last_at_ms', 'desc').orderBy('reason').orderBy('address').limit(query.limit),
  );
  return rows.map(({ first_at_ms: firstAtMs, last_at_ms: lastAtMs, ...row }) => ({
    ...row,
    firstAtMs,
    lastAtMs,
  }));
}

/** What is past its time. */
export function* pruneRefusals(atMs: number): Steps<void> {
  const hour = Math.floor(atMs / HOUR_MS);
  yield* run(db.deleteFrom('refusals').where('hour', '<', hour - KEPT_HOURS));
  yield* run(
    db
      .deleteFrom('refusals')
      .where('client', '=', 0)
      .where('hour', '<', hour - STRANGERS_KEPT_HOURS),
  );
}

type Key = Pick<RefusalCount, 'hour' | 'environment' | 'client' | 'secret' | 'reason' | 'address'>;

function keyOf({ hour, environment, client, secret, reason, address }: Key): string {
  return `${hour}/${environment}/${client}/${secret}/${reason}/${address}`;
}
