/** Changes of when a secret ends, and the record that its end is near. An end at once is a revocation, never an expiry. */

import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, newestChange } from '../append.ts';
import { db, run, type Steps } from '../schema.ts';
import { secretFact, secretRow } from './secrets.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

const NOTHING: Committed = { sequence: 0, changeId: '', changed: false };

/** Every change about the end of a secret. */
export function* changeExpiry(
  change: Of<'secret.expire' | 'secret.expiring'>,
  atMs: number,
): Steps<Effect | Committed> {
  if (change.kind === 'secret.expiring') return yield* announceExpiry(change);
  return yield* expireSecret(change, atMs);
}

/** Moves the end of a secret that has not ended. What has ended stays so: nodes may have forgotten it, and its owner too. */
function* expireSecret(
  { secretId, expiresAtMs }: Of<'secret.expire'>,
  atMs: number,
): Steps<Effect | Committed> {
  const row = yield* secretRow(secretId);
  const hasExpired = row.expires_at_ms !== null && row.expires_at_ms <= atMs;
  if (row.revoked_at_ms !== null || hasExpired) {
    throw new ChangeRefused(
      'conflict',
      `secret ${secretId} has ended, and no secret is brought back to life; ` +
        "create another one: 'countersign secret create CLIENT_ID'",
    );
  }
  const endMs = expiresAtMs ?? null;
  if (endMs === row.expires_at_ms) return yield* newestChange();
  // The new end has not been announced yet.
  const after = { expires_at_ms: endMs, notified_days: null };
  yield* run(db.updateTable('secrets').set(after).where('ordinal', '=', row.ordinal));
  return {
    target: secretId,
    facts: [secretFact(row)],
    detail: { before_ms: row.expires_at_ms ?? undefined, expires_at_ms: expiresAtMs },
  };
}

/** Once for each number of days: of many nodes that notice the same at the same moment, one writes it down. */
function* announceExpiry(change: Of<'secret.expiring'>): Steps<Effect | Committed> {
  const { secretId, expiresAtMs, days } = change;
  const row = yield* secretRow(secretId);
  const isAsNoticed = row.revoked_at_ms === null && row.expires_at_ms === expiresAtMs;
  const isTold = row.notified_days !== null && row.notified_days <= days;
  if (!isAsNoticed || isTold) return NOTHING;
  yield* run(
    db.updateTable('secrets').set({ notified_days: days }).where('ordinal', '=', row.ordinal),
  );
  return { target: secretId, facts: [], detail: { expires_at_ms: expiresAtMs, days } };
}
