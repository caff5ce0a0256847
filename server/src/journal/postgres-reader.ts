/** Finds a client's tokens in the journal's partitions, newest first. Writes nothing. */

import type { IssuedToken, JournalReader } from '../ports/journal.ts';
import { readAddress } from './address.ts';

/** How many tokens one query may return. */
const READ_TOKENS_MAX = 10_000;
/** A token is committed soon after it is issued, by two clocks: a node's, and the database's, which may be behind by this much. */
const CLOCK_SLACK_MS = 60 * 60 * 1000;

/** Runs one reading statement on the primary. */
export type RunRead = (
  text: string,
  values: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>;

export function openPostgresReader(run: RunRead): JournalReader {
  return {
    list: async ({ client, sinceMs, untilMs = Number.MAX_SAFE_INTEGER, limit }) => {
      if (!(Number.isInteger(limit) && limit > 0)) throw new RangeError('a limit is at least 1');
      const rows = await run(SELECT, [
        client,
        sinceMs,
        Math.min(limit, READ_TOKENS_MAX),
        sinceMs - CLOCK_SLACK_MS,
        untilMs,
      ]);
      return rows.map(toToken);
    },
  };
}

// The time of commit is asked for as well, as it tells which partitions need not be opened.
const SELECT = `
  select issued_at_ms, lifetime_s, client, generation, secret, scope_set, resource, jti, address
  from issued_tokens where client = $1 and issued_at_ms between $2 and $5 and committed_at_ms >= $4
  order by issued_at_ms desc, committed_at_ms desc limit $3`;

function toToken(row: Record<string, unknown>): IssuedToken {
  return {
    jti: row['jti'] as Uint8Array,
    client: Number(row['client']),
    generation: Number(row['generation']),
    secret: Number(row['secret']),
    scopeSet: Number(row['scope_set']),
    resource: Number(row['resource']),
    issuedAtMs: Number(row['issued_at_ms']),
    lifetimeSeconds: Number(row['lifetime_s']),
    address: readAddress(row['address'] as Uint8Array),
  };
}
