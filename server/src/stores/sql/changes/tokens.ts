/** Revocation of single tokens by their jti, and of a whole client's once there are many. */

import type { Selectable } from 'kysely';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { db, first, firstLocked, run, type Steps, type Tables } from '../schema.ts';
import { clientFact } from './clients.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

/** Above this many live revoked tokens a client's generation is raised instead, so that memory stays bounded. */
const REVOKED_TOKENS_PER_CLIENT_MAX = 1_000;
/** Rows stay this much longer, as the clock of whoever prunes may be ahead: a row pruned early would revive a token. */
const PRUNE_MARGIN_MS = 7 * 24 * 60 * 60 * 1000;
/** Kept past expiry, for nodes whose clocks lag. */
const FORGET_AFTER_EXPIRY_MS = 60 * 60 * 1000;

export function* revokeToken(change: Of<'token.revoke'>, atMs: number): Steps<Effect | Committed> {
  const client = yield* firstLocked(
    db.selectFrom('clients').selectAll().where('ordinal', '=', change.client),
  );
  if (client === undefined) throw new ChangeRefused('not-found', 'there is no such client');
  const known = yield* first(
    db.selectFrom('revoked_tokens').select('jti').where('jti', '=', change.jti),
  );
  if (known !== undefined) return yield* earlierChange(change.kind, change.jti);
  yield* run(expiredRevocations(atMs));
  const live = yield* first(
    db
      .selectFrom('revoked_tokens')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('client', '=', change.client),
  );
  if ((live?.count ?? 0) >= REVOKED_TOKENS_PER_CLIENT_MAX)
    return yield* raiseClient(change, client);
  const forgetAtMs = change.expiresAtMs + FORGET_AFTER_EXPIRY_MS;
  yield* run(
    db
      .insertInto('revoked_tokens')
      .values({ jti: change.jti, client: change.client, forget_at_ms: forgetAtMs }),
  );
  return {
    target: change.jti,
    facts: [{ is: 'revoked-token', jti: change.jti, client: change.client }],
    detail: { client: change.client, where: change.where },
  };
}

/** Takes out revocations of tokens that have long expired. */
export const expiredRevocations = (atMs: number) =>
  db.deleteFrom('revoked_tokens').where('forget_at_ms', '<', atMs - PRUNE_MARGIN_MS);

function* raiseClient(
  change: Of<'token.revoke'>,
  client: Selectable<Tables['clients']>,
): Steps<Effect> {
  const after = { ...client, generation: client.generation + 1 };
  yield* run(
    db
      .updateTable('clients')
      .set({ generation: after.generation })
      .where('ordinal', '=', client.ordinal),
  );
  yield* run(db.deleteFrom('revoked_tokens').where('client', '=', client.ordinal));
  return {
    target: change.jti,
    facts: [clientFact(after)],
    detail: { client: change.client, where: change.where, all_tokens_of_client: true },
  };
}
