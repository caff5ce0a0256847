/** Creations that happen once: the key of each, kept for a day in the transaction that creates. */

import { ChangeRefused, type Command, type Committed, type Once } from '../../ports/store.ts';
import { type Effect, earlierChange } from './append.ts';
import { all, db, first, run, type Steps } from './schema.ts';

const KEPT_MS = 24 * 60 * 60 * 1000;

/** Keys that are free again: to be taken out. */
export const expiredKeys = (atMs: number) =>
  db.deleteFrom('idempotency').where('created_at_ms', '<', atMs - KEPT_MS);

/** Takes a key for what follows; or, if it is taken, tells what was made under it. Two who ask at once wait for each other. */
export function* claimKey(once: Once, { change, atMs }: Command): Steps<Committed | undefined> {
  const { caller, key, request, made } = once;
  yield* run(expiredKeys(atMs).where('caller', '=', caller).where('key', '=', key));
  const claimed = yield* all(
    db
      .insertInto('idempotency')
      .values({
        ...{ caller, key, request },
        kind: change.kind,
        target: '',
        made: JSON.stringify(made),
        created_at_ms: atMs,
      })
      .onConflict((on) => on.columns(['caller', 'key']).doNothing())
      .returning('key'),
  );
  if (claimed.length === 1) return undefined;
  const known = yield* first(rowOf(once).selectAll());
  if (known?.request !== request || known.kind !== change.kind) {
    throw new ChangeRefused(
      'key-reused',
      'this idempotency key was used for another request: choose a new key for a new request',
    );
  }
  return {
    ...(yield* earlierChange(known.kind, known.target)),
    replayed: JSON.parse(known.made) as Once['made'],
  };
}

/** Says what the key stands for. Of what was so already nothing is kept: asked again, it is so still. */
export function* keepKey(once: Once, effect: Effect | Committed): Steps<void> {
  const { caller, key } = once;
  if ('changed' in effect) {
    yield* run(db.deleteFrom('idempotency').where('caller', '=', caller).where('key', '=', key));
    return;
  }
  yield* run(
    db
      .updateTable('idempotency')
      .set({ target: effect.target })
      .where('caller', '=', caller)
      .where('key', '=', key),
  );
}

const rowOf = ({ caller, key }: Once) =>
  db.selectFrom('idempotency').where('caller', '=', caller).where('key', '=', key);
