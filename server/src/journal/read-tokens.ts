/** Finds a client's tokens across the buckets of all slots, newest first, beside their writers. Writes nothing. */

import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { IssuedToken } from '../ports/journal.ts';
import { readAddress } from './address.ts';
import { openForReading } from './bucket-database.ts';
import { type BucketFile, listBuckets } from './bucket-files.ts';

export type TokenQuery = {
  readonly directory: string;
  readonly bucketMs: number;
  readonly client: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly limit: number;
};

const SELECT = `
  SELECT issued_at_ms, lifetime_s, client, generation, secret, scope_set, resource, jti, address
  FROM tokens WHERE client = ? AND issued_at_ms BETWEEN ? AND ?
  ORDER BY issued_at_ms DESC, rowid DESC LIMIT ?`;

/** At most `limit` tokens, newest first. A bucket that appears or is dropped meanwhile counts or not, without an error. */
export function readTokens(query: TokenQuery): readonly IssuedToken[] {
  // A row stands in the bucket of its commit, so its issued-at may lie a little outside: one bucket of slack.
  const slackMs = query.bucketMs;
  let newest: readonly IssuedToken[] = [];
  for (const bucket of listBuckets(query.directory).toReversed()) {
    const issuedBeforeMs = bucket.startMs + query.bucketMs + slackMs;
    const last = newest[query.limit - 1];
    if (issuedBeforeMs <= query.sinceMs) break;
    if (bucket.startMs - slackMs > query.untilMs) continue;
    if (last !== undefined && last.issuedAtMs >= issuedBeforeMs) break;
    newest = [...newest, ...readBucket(bucket, query)]
      .sort((one, other) => other.issuedAtMs - one.issuedAtMs)
      .slice(0, query.limit);
  }
  return newest;
}

function readBucket(bucket: BucketFile, query: TokenQuery): readonly IssuedToken[] {
  let database: DatabaseSync | undefined;
  try {
    database = openForReading(bucket.path);
    const { client, sinceMs, untilMs, limit } = query;
    const rows = database?.prepare(SELECT).all(client, sinceMs, untilMs, limit) ?? [];
    return rows.map(toToken);
  } catch (error) {
    if (!existsSync(bucket.path)) return [];
    throw error;
  } finally {
    database?.close();
  }
}

function toToken(row: Record<string, SQLOutputValue>): IssuedToken {
  const { issued_at_ms, lifetime_s, client, generation, secret, scope_set, resource } = row;
  const { jti, address } = row;
  return {
    jti: bytesOf(jti),
    client: Number(client),
    generation: Number(generation),
    secret: Number(secret),
    scopeSet: Number(scope_set),
    resource: Number(resource),
    issuedAtMs: Number(issued_at_ms),
    lifetimeSeconds: Number(lifetime_s),
    address: readAddress(bytesOf(address)),
  };
}

function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError('a journal column that holds bytes held something else');
}
