/**
 * Payments that are made once however often they are sent: the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header),
 * and the answers kept under it, each in the transaction of what it answers. Knows nothing of money.
 */

import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { Refused } from './answer.ts';
import { inTransaction } from './database.ts';

/** A string of structured fields (RFC 9651 §3.3.3), as the draft has it, whose quotes may be left out. */
const KEY = /^(?:"([\w.:-]{1,64})"|([\w.:-]{1,64}))$/;
export const KEY_SCHEMA = { type: 'string', pattern: KEY.source };

/** The key of a request; a repeated header is none. */
export function keyOf(request: IncomingMessage): string {
  const lines = request.headersDistinct['idempotency-key'] ?? [];
  const [, quoted, bare] = (lines.length === 1 && KEY.exec(lines[0] ?? '')) || [];
  const key = quoted ?? bare;
  if (key !== undefined) return key;
  const chosen = 'one key, made up for this payment: 1 to 64 of the characters A-Z a-z 0-9 . _ : -';
  throw new Refused('invalid-request', `Idempotency-Key must be ${chosen}`, {
    at: { parameter: 'Idempotency-Key' },
  });
}

/** Runs one request under a key at a time: it is held from before the body is read, however slowly that arrives. */
export function makeUnderWay() {
  const underWay = new Set<string>();
  return async <T>(programId: string, key: string, work: () => Promise<T>): Promise<T> => {
    const held = `${programId} ${key}`;
    if (underWay.has(held)) {
      const detail = 'The first request with this Idempotency-Key is not answered yet.';
      throw new Refused('key-under-way', detail, { headers: { 'Retry-After': '1' } });
    }
    underWay.add(held);
    try {
      return await work();
    } finally {
      underWay.delete(held);
    }
  };
}

/** What came of a request: now, or when it came first. */
export type Once<T> = { readonly outcome: T; readonly isReplay: boolean };

/** Makes the runner. What `work` writes and what it returns are committed together; if it throws, the key stays free. */
export function makeOnce(database: DatabaseSync) {
  const first = database.prepare(
    'select digest, outcome from keys where program_id = ? and key = ?',
  );
  const keep = database.prepare(
    'insert into keys (program_id, key, digest, outcome, created_at) values (?, ?, ?, ?, ?)',
  );
  return <T>(
    programId: string,
    { key, request }: { readonly key: string; readonly request: unknown },
    work: () => T,
  ): Once<T> => {
    const digest = hash('sha256', JSON.stringify(request));
    return inTransaction(database, () => {
      const kept = first.get(programId, key);
      if (kept === undefined) {
        const outcome = work();
        const now = new Date().toISOString();
        keep.run(programId, key, digest, JSON.stringify(outcome), now);
        return { outcome, isReplay: false };
      }
      if (kept['digest'] === digest) {
        return { outcome: JSON.parse(String(kept['outcome'])), isReplay: true };
      }
      const detail = 'Your program used this Idempotency-Key for another payment. Make a new one.';
      throw new Refused('key-reused', detail);
    });
  };
}
