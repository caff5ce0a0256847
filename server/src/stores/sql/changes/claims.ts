/**
 * Changes of claims. Whether a claim may be used is decided in the transaction that uses it, and so is the count of wrong passphrases: of
 * many who try at once one gets the secret, and all together have no more guesses than one would have.
 */

import { timingSafeEqual } from 'node:crypto';
import type { Selectable } from 'kysely';
import {
  CLAIM_FAILURES_MAX,
  CLAIM_STOP_MS,
  type ClaimAttempt,
  type NewClaim,
} from '../../../ports/claims.ts';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { all, db, first, firstLocked, run, type Steps, type Tables } from '../schema.ts';
import { clientRow } from './client-row.ts';
import {
  createSecret,
  requirePepper,
  requireRoomForSecret,
  revokeSecret,
  rotateSecret,
} from './secrets.ts';

type ClaimRow = Selectable<Tables['claims']>;
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
type ClaimChange = Of<'claim.create' | 'claim.use' | 'claim.stop' | 'claim.revoke'>;
type By = { readonly actor: string; readonly atMs: number };

/** Every change of a claim. */
export function* changeClaim(change: ClaimChange, by: By): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'claim.create':
      return yield* createClaim(change, by);
    case 'claim.use':
      return yield* useClaim(change, by);
    case 'claim.stop':
      return yield* stopClaim(change, by);
    case 'claim.revoke':
      return yield* revokeClaim(change, by);
  }
}

/** Makes a claim. What the client had that was not used yet is revoked: of two links only the newer one may work. */
function* createClaim(change: Of<'claim.create'>, by: By): Steps<Effect> {
  const { claim, clientId } = change;
  const { ordinal: client } = yield* clientRow(clientId);
  const overlaps = claim.purpose === 'create' || claim.overlapMs > 0;
  if (overlaps) yield* requireRoomForSecret({ client, clientId }, by.atMs);
  const replaced = yield* insertClaim(client, claim, by);
  return {
    target: claim.claimId,
    facts: [],
    detail: { client: clientId, ...claimDetail(claim), replaced },
  };
}

/** What the audit trail tells of a claim. */
export function claimDetail(claim: NewClaim): Readonly<Record<string, unknown>> {
  return {
    purpose: claim.purpose,
    name: claim.secretName,
    passphrase: claim.passphraseMac !== undefined,
    claim_expires_at_ms: claim.expiresAtMs,
    expires_at_ms: claim.secretExpiresAtMs,
    overlap_ms: claim.purpose === 'rotate' ? claim.overlapMs : undefined,
  };
}

/** Writes the row of a claim; returns the ids of those that it takes the place of. The client's row is held. */
export function* insertClaim(client: number, claim: NewClaim, by: By): Steps<readonly string[]> {
  yield* requirePepper(client, claim.keyVersion);
  const replaced = yield* all(
    db
      .updateTable('claims')
      .set({ revoked_at_ms: by.atMs })
      .where('client', '=', client)
      .where('used_at_ms', 'is', null)
      .where('revoked_at_ms', 'is', null)
      .where('expires_at_ms', '>', by.atMs)
      .returning('claim_id'),
  );
  yield* run(
    db.insertInto('claims').values({
      claim_id: claim.claimId,
      client,
      purpose: claim.purpose,
      code_mac: claim.codeMac,
      passphrase_mac: claim.passphraseMac ?? null,
      key_version: claim.keyVersion,
      secret_name: claim.secretName ?? null,
      secret_expires_at_ms: claim.secretExpiresAtMs ?? null,
      overlap_ms: claim.overlapMs,
      created_at_ms: by.atMs,
      created_by: by.actor,
      expires_at_ms: claim.expiresAtMs,
      failures: 0,
      used_at_ms: null,
      used_from: null,
      secret: null,
      stopped_at_ms: null,
      revoked_at_ms: null,
    }),
  );
  return replaced.map(({ claim_id }) => claim_id);
}

/** Makes the secret of a claim and marks the claim as used, or counts a wrong passphrase. */
function* useClaim({ attempt, secret }: Of<'claim.use'>, by: By): Steps<Effect> {
  const { claim, clientId } = yield* heldClaim(attempt);
  const isOpen = claim.used_at_ms === null && claim.revoked_at_ms === null;
  if (!isOpen || claim.expires_at_ms <= by.atMs) throw closed(attempt);
  yield* requireWorkingClient(claim.client);
  const failed = yield* countFailure(claim, attempt, by);
  if (failed !== undefined) return failed;
  const given = {
    ...secret,
    ...(claim.secret_name === null ? {} : { name: claim.secret_name }),
    ...(claim.secret_expires_at_ms === null ? {} : { expiresAtMs: claim.secret_expires_at_ms }),
  };
  const made =
    claim.purpose === 'create'
      ? yield* createSecret({ kind: 'secret.create', clientId, secret: given }, by)
      : yield* rotateSecret(
          {
            ...{ kind: 'secret.rotate', clientId, secret: given },
            othersExpireAtMs: by.atMs + claim.overlap_ms,
          },
          by,
        );
  const row = yield* first(
    db.selectFrom('secrets').select('ordinal').where('secret_id', '=', secret.secretId),
  );
  yield* mark(claim, {
    used_at_ms: by.atMs,
    used_from: attempt.from,
    secret: row?.ordinal ?? null,
  });
  return {
    kind: 'claim.used',
    target: claim.claim_id,
    facts: made.facts,
    detail: { secret: secret.secretId, from: attempt.from, ...made.detail },
  };
}

/** Ends the secret of a used claim, and the tokens that it got, on the word of whoever holds the claim. */
function* stopClaim({ attempt }: Of<'claim.stop'>, by: By): Steps<Effect | Committed> {
  const { claim } = yield* heldClaim(attempt);
  const untilMs = Math.max(claim.expires_at_ms, (claim.used_at_ms ?? 0) + CLAIM_STOP_MS);
  if (claim.used_at_ms === null || claim.secret === null || by.atMs >= untilMs) {
    throw closed(attempt);
  }
  const failed = yield* countFailure(claim, attempt, by);
  if (failed !== undefined) return failed;
  const row = yield* first(
    db.selectFrom('secrets').select('secret_id').where('ordinal', '=', claim.secret),
  );
  const secretId = row?.secret_id ?? '';
  const revoked = yield* revokeSecret({ kind: 'secret.revoke', secretId, killTokens: true }, by);
  if ('changed' in revoked) return revoked;
  yield* mark(claim, { stopped_at_ms: by.atMs });
  const detail = { ...revoked.detail, claim: claim.claim_id, from: attempt.from };
  return { ...revoked, kind: 'secret.revoke', detail };
}

function* revokeClaim({ claimId }: Of<'claim.revoke'>, by: By): Steps<Effect | Committed> {
  const claim = yield* first(db.selectFrom('claims').selectAll().where('claim_id', '=', claimId));
  if (claim === undefined) {
    throw new ChangeRefused(
      'not-found',
      `there is no claim ${claimId}; 'countersign claim list' shows the ones there are`,
    );
  }
  yield* lockClient(claim.client);
  const held = (yield* firstLocked(
    db.selectFrom('claims').selectAll().where('claim_id', '=', claimId),
  )) as ClaimRow;
  if (held.used_at_ms !== null) {
    throw new ChangeRefused(
      'conflict',
      `claim ${claimId} was used already; 'countersign claim show ${claimId}' names its secret, and ` +
        "'countersign secret revoke SECRET_ID --kill-tokens' ends that",
    );
  }
  if (held.revoked_at_ms !== null) return yield* earlierChange('claim.revoke', claimId);
  yield* mark(held, { revoked_at_ms: by.atMs });
  return { target: claimId, facts: [] };
}

/** Claims that nobody could use any more if the key under their hashes were retired. */
export function openClaimsUnder(version: number, atMs: number) {
  return db
    .selectFrom('claims')
    .innerJoin('clients', 'clients.ordinal', 'claims.client')
    .where('claims.key_version', '=', version)
    .where('claims.used_at_ms', 'is', null)
    .where('claims.revoked_at_ms', 'is', null)
    .where('claims.expires_at_ms', '>', atMs)
    .where('clients.state', '!=', 'deleted');
}

/** The claim whose code is right, kept from other writers; first its client, as whoever makes a claim does. */
function* heldClaim(attempt: ClaimAttempt): Steps<{ claim: ClaimRow; clientId: string }> {
  const { claimId, codeMac } = attempt;
  const byId = db.selectFrom('claims').selectAll().where('claim_id', '=', claimId);
  const found = yield* first(byId);
  if (found === undefined || !isSame(found.code_mac, codeMac)) throw closed(attempt);
  const clientId = yield* lockClient(found.client);
  const claim = yield* firstLocked(byId);
  if (claim === undefined) throw closed(attempt);
  return { claim, clientId };
}

function* lockClient(ordinal: number): Steps<string> {
  const row = yield* firstLocked(
    db.selectFrom('clients').select('client_id').where('ordinal', '=', ordinal),
  );
  return row?.client_id ?? '';
}

function* requireWorkingClient(ordinal: number): Steps<void> {
  const row = yield* first(
    db
      .selectFrom('clients')
      .innerJoin('programs', 'programs.ordinal', 'clients.program')
      .select(['clients.state', 'programs.suspended'])
      .where('clients.ordinal', '=', ordinal),
  );
  if (row?.state === 'active' && row.suspended === 0) return;
  throw new ChangeRefused('conflict', 'the client or its program is suspended or deleted');
}

/**
 * The record of a wrong passphrase, the last of which ends an unused claim; undefined: it is right, or none is asked. Of a used claim
 * some are recorded, and none ends it: or whoever took the secret would keep its owner from stopping it.
 */
function* countFailure(claim: ClaimRow, attempt: ClaimAttempt, by: By): Steps<Effect | undefined> {
  const { passphraseMac } = attempt;
  if (claim.passphrase_mac === null) return undefined;
  if (passphraseMac !== undefined && isSame(claim.passphrase_mac, passphraseMac)) return undefined;
  if (claim.used_at_ms !== null && claim.failures >= CLAIM_FAILURES_MAX) {
    throw new ChangeRefused('invalid', `the passphrase of claim ${claim.claim_id} is another one`);
  }
  const failures = claim.failures + 1;
  const isDead = failures >= CLAIM_FAILURES_MAX && claim.used_at_ms === null;
  yield* mark(claim, { failures, ...(isDead ? { revoked_at_ms: by.atMs } : {}) });
  return {
    kind: 'claim.failed',
    target: claim.claim_id,
    facts: [],
    detail: { failures, dead: isDead, from: attempt.from },
  };
}

function* mark(claim: ClaimRow, set: Partial<ClaimRow>): Steps<void> {
  yield* run(db.updateTable('claims').set(set).where('claim_id', '=', claim.claim_id));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Not for people: whoever asked looks at the claim and says what is the matter with it. */
function closed({ claimId }: ClaimAttempt): ChangeRefused {
  return new ChangeRefused('not-found', `claim ${claimId} cannot be used`);
}
