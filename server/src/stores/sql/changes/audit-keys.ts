/** The change that gives a store the key for checkpoints of its audit trail. */

import type { Change, Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { signingKeys } from '../checkpoints.ts';
import { db, run, type Steps } from '../schema.ts';
import { lockedEnvironments, requireMasterKey } from './keys.ts';

/** A store has one: of two who make it at once, the second is told that it is there. */
export function* createSigningKey(
  change: Extract<Change, { kind: 'audit-key.create' }>,
  atMs: number,
): Steps<Effect | Committed> {
  // Whoever would put the store under another master key meanwhile waits.
  yield* lockedEnvironments();
  const [known] = yield* signingKeys();
  if (known !== undefined) return yield* earlierChange(change.kind, known.keyId);
  const { keyId, publicKey, wrapped } = change;
  yield* run(
    db
      .insertInto('signing_keys')
      .values({ key_id: keyId, public_key: publicKey, wrapped, created_at_ms: atMs }),
  );
  yield* requireMasterKey(change.masterKeyCheck);
  return { target: keyId, facts: [], detail: { public_key: publicKey } };
}
