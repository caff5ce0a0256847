/** Changes of client secrets. Of a secret the store knows a keyed hash, an id and the last four characters. */

import type { Selectable } from 'kysely';
import type { Fact } from '../../../ports/change-log.ts';
import {
  type Change,
  ChangeRefused,
  type Committed,
  type NewSecret,
} from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { heldKey } from '../keys.ts';
import { all, db, first, firstLocked, run, type Steps, type Tables } from '../schema.ts';
import { clientRow } from './client-row.ts';

type SecretRow = Selectable<Tables['secrets']>;
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
type By = { readonly actor: string; readonly atMs: number };

/** Two, so that a rotation can overlap and no third secret lies about forgotten. */
const LIVE_SECRETS_PER_CLIENT_MAX = 2;
/** No token lives longer than a day, so a kill may be forgotten after that, with an hour for nodes whose clocks lag. */
const REMEMBER_KILL_MS = 25 * 60 * 60 * 1000;

/** Every change of a secret but those of its end. */
export function* changeSecret(
  change: Of<'secret.create' | 'secret.rotate' | 'secret.revoke' | 'secret.expose'>,
  by: By,
): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'secret.create':
      return yield* createSecret(change, by);
    case 'secret.rotate':
      return yield* rotateSecret(change, by);
    case 'secret.revoke':
      return yield* revokeSecret(change, by);
    case 'secret.expose':
      return yield* exposeSecret(change, by);
  }
}

export function secretFact(row: Pick<SecretRow, 'ordinal' | 'client' | 'killed'>): Fact {
  return {
    is: 'secret',
    ordinal: row.ordinal,
    client: row.client,
    killed: row.killed === 1,
  };
}

export function* insertSecret(client: number, secret: NewSecret, by: By): Steps<Fact> {
  yield* requirePepper(client, secret.pepperVersion);
  const row = yield* first(
    db
      .insertInto('secrets')
      .values({
        secret_id: secret.secretId,
        client,
        name: secret.name ?? null,
        mac: secret.mac,
        pepper_version: secret.pepperVersion,
        hint: secret.hint,
        created_at_ms: by.atMs,
        created_by: by.actor,
        expires_at_ms: secret.expiresAtMs ?? null,
        killed: 0,
        forget_at_ms: 0,
      } as never)
      .returningAll(),
  );
  return secretFact(row as SecretRow);
}

/** Whoever hashed a secret may have read the keys a while ago: under a pepper that was retired since it could never be used. */
export function* requirePepper(client: number, version: number): Steps<void> {
  const environment = db.selectFrom('clients').select('environment').where('ordinal', '=', client);
  const held = yield* firstLocked(
    heldKey('secret', version).where('environment', '=', environment),
  );
  if (held !== undefined) return;
  throw new ChangeRefused('conflict', 'the keys were changed meanwhile: repeat the command');
}

function* liveSecrets(client: number, atMs: number): Steps<readonly SecretRow[]> {
  const rows = yield* all(
    db
      .selectFrom('secrets')
      .selectAll()
      .where('client', '=', client)
      .where('revoked_at_ms', 'is', null),
  );
  return rows.filter((row) => row.expires_at_ms === null || row.expires_at_ms > atMs);
}

/** Refuses one more live secret where there are as many as may be. The client's row is held. */
export function* requireRoomForSecret(
  { client, clientId }: { readonly client: number; readonly clientId: string },
  atMs: number,
): Steps<void> {
  const live = yield* liveSecrets(client, atMs);
  if (live.length < LIVE_SECRETS_PER_CLIENT_MAX) return;
  throw new ChangeRefused(
    'limit',
    `client ${clientId} has ${live.length} live secrets, which is the most; ` +
      `revoke one first (${live.map((row) => row.secret_id).join(', ')}), or rotate with --overlap 0s, which ends them all`,
  );
}

export function* createSecret(change: Of<'secret.create'>, by: By): Steps<Effect> {
  const { clientId } = change;
  // Kept from other writers, so that its live secrets can be counted.
  const { ordinal: client } = yield* clientRow(clientId);
  yield* requireRoomForSecret({ client, clientId }, by.atMs);
  const fact = yield* insertSecret(client, change.secret, by);
  return {
    target: change.secret.secretId,
    facts: [fact],
    detail: {
      client: change.clientId,
      name: change.secret.name,
      expires_at_ms: change.secret.expiresAtMs,
    },
  };
}

/** Makes a new secret and schedules the end of those that were live; none of them gets a longer life by it. */
export function* rotateSecret(change: Of<'secret.rotate'>, by: By): Steps<Effect> {
  // Kept from other writers, so that its live secrets can be counted.
  const { ordinal: client } = yield* clientRow(change.clientId);
  const live = yield* liveSecrets(client, by.atMs);
  const overlapping = change.othersExpireAtMs > by.atMs;
  if (overlapping) yield* requireRoomForSecret({ client, clientId: change.clientId }, by.atMs);
  for (const row of live) {
    const endMs = Math.min(row.expires_at_ms ?? Number.MAX_SAFE_INTEGER, change.othersExpireAtMs);
    // An end at once is a revocation: an expiry would leave it to each node's wall clock.
    const after = { expires_at_ms: endMs, revoked_at_ms: overlapping ? null : by.atMs };
    yield* run(db.updateTable('secrets').set(after).where('ordinal', '=', row.ordinal));
  }
  const fact = yield* insertSecret(client, change.secret, by);
  return {
    target: change.secret.secretId,
    facts: [fact],
    detail: {
      client: change.clientId,
      name: change.secret.name,
      ended: live.map((row) => row.secret_id),
      others_expire_at_ms: change.othersExpireAtMs,
      expires_at_ms: change.secret.expiresAtMs,
    },
  };
}

/** A secret, kept from other writers. */
export function* secretRow(secretId: string): Steps<SecretRow> {
  const row = yield* firstLocked(
    db.selectFrom('secrets').selectAll().where('secret_id', '=', secretId),
  );
  if (row !== undefined) return row;
  throw new ChangeRefused(
    'not-found',
    `there is no secret ${secretId}; 'countersign secret list CLIENT_ID' shows them`,
  );
}

export function* revokeSecret(change: Of<'secret.revoke'>, by: By): Steps<Effect | Committed> {
  const row = yield* secretRow(change.secretId);
  const killed = row.killed === 1 || change.killTokens;
  if (row.revoked_at_ms !== null && killed === (row.killed === 1)) {
    return yield* earlierChange(change.kind, change.secretId);
  }
  const after = {
    revoked_at_ms: row.revoked_at_ms ?? by.atMs,
    killed: killed ? 1 : 0,
    forget_at_ms: killed ? by.atMs + REMEMBER_KILL_MS : 0,
  };
  yield* run(db.updateTable('secrets').set(after).where('ordinal', '=', row.ordinal));
  return {
    target: change.secretId,
    facts: [secretFact({ ...row, ...after })],
    detail: { kill_tokens: change.killTokens },
  };
}

/** Marks a secret as seen where it must never stand. It goes on working: a stranger must not be able to stop a client. */
function* exposeSecret(change: Of<'secret.expose'>, by: By): Steps<Effect | Committed> {
  const row = yield* firstLocked(
    db.selectFrom('secrets').selectAll().where('ordinal', '=', change.secret),
  );
  if (row === undefined) throw new ChangeRefused('not-found', 'there is no such secret');
  if (row.exposed_at_ms !== null) return yield* earlierChange(change.kind, row.secret_id);
  yield* run(
    db.updateTable('secrets').set({ exposed_at_ms: by.atMs }).where('ordinal', '=', row.ordinal),
  );
  return {
    target: row.secret_id,
    facts: [secretFact(row)],
    detail: { where: change.where },
  };
}
