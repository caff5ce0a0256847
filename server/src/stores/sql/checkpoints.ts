/** Signed checkpoints of the audit trail and the keys they are signed with, as rows. Signs nothing. */

import type { Checkpoint, SigningKey } from '../../ports/checkpoints.ts';
import { all, db, first, run, type Steps } from './schema.ts';

export function* addCheckpoint(checkpoint: Checkpoint): Steps<void> {
  const { sequence, hash, atMs, incarnation, keyId, signature } = checkpoint;
  yield* run(
    db
      .insertInto('checkpoints')
      .values({ sequence, hash, at_ms: atMs, incarnation, key_id: keyId, signature })
      .onConflict((conflict) => conflict.column('sequence').doNothing()),
  );
}

export function* latestCheckpoint(): Steps<Checkpoint | undefined> {
  const row = yield* first(
    db.selectFrom('checkpoints').selectAll().orderBy('sequence', 'desc').limit(1),
  );
  return row === undefined ? undefined : checkpointOf(row);
}

export function* checkpoints(range: {
  readonly after: number;
  readonly limit: number;
}): Steps<readonly Checkpoint[]> {
  const rows = yield* all(
    db
      .selectFrom('checkpoints')
      .selectAll()
      .where('sequence', '>', range.after)
      .orderBy('sequence')
      .limit(range.limit),
  );
  return rows.map(checkpointOf);
}

function checkpointOf(row: {
  sequence: number;
  hash: string;
  at_ms: number;
  incarnation: string;
  key_id: string;
  signature: string;
}): Checkpoint {
  const { sequence, hash, at_ms: atMs, incarnation, key_id: keyId, signature } = row;
  return { sequence, hash, atMs, incarnation, keyId, signature };
}

export function* signingKeys(): Steps<readonly SigningKey[]> {
  const rows = yield* all(
    db.selectFrom('signing_keys').selectAll().orderBy('created_at_ms').orderBy('key_id'),
  );
  return rows.map((row) => ({
    keyId: row.key_id,
    publicKey: row.public_key,
    wrapped: row.wrapped,
    createdAtMs: row.created_at_ms,
  }));
}

/** Puts the keys under another master key. */
export function* rewrapSigningKeys(afterOf: (wrapped: string) => string): Steps<void> {
  for (const { keyId, wrapped } of yield* signingKeys()) {
    yield* run(
      db
        .updateTable('signing_keys')
        .set({ wrapped: afterOf(wrapped) })
        .where('key_id', '=', keyId),
    );
  }
}
