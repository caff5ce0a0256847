/**
 * What makes an earlier state a store of its own, be it a backup or what a promoted standby has: no earlier token opens, no number of
 * what came after it is given out again, and nobody is let in by a secret that may have been revoked since.
 */

import { sql } from 'kysely';
import { OPERATORS } from '../../ports/model.ts';
import { type Closing, RESTORE } from './append.ts';
import { insertSuspensions } from './changes/suspensions.ts';
import { all, db, first, run, type Steps } from './schema.ts';

export type Restoring = {
  /** Fresh randomness, both. */
  readonly incarnation: string;
  readonly changeId: string;
  readonly actor: string;
  readonly atMs: number;
  /** Left out: the state is not a backup's, but a database that came back without its last commits; nodes may be following it. */
  readonly backup?: { readonly sha256: string; readonly takenAtMs: number };
  /** True: programs that were active stay so. */
  readonly keepActive: boolean;
  /** A fresh root key for tokens, wrapped under the master key of the store. */
  readonly newTokenKey: (environment: string, version: number) => string;
};

/**
 * How far numbers are moved on, beyond any that can have been given out after the backup. Tokens of that time open no more; the gap
 * is for journals, logs and audit exports of that time, in which a number must never come to mean somebody else. The upper end of
 * each kind bounds how many restores a store can live through: 655 by key versions and resources, many more by the others.
 */
const TOKEN_KEY_VERSIONS_GAP = 100;
const RESOURCE_NUMBERS_GAP = 100;
const RESOURCE_NUMBER_MAX = 65_535;
const SCOPE_SET_IDS_GAP = 1_000_000;
const GENERATIONS_GAP = 1_000;
/**
 * Ordinals that are left out. A node holds 41 bytes for each ordinal of a client, so that gap costs it 4 MB a restore; those of the
 * others cost nothing.
 */
export const ORDINALS_GAP = {
  programs: 100_000,
  clients: 100_000,
  secrets: 1_000_000,
  suspensions: 1_000_000,
};
const ROWS_PER_STATEMENT = 1_000;

/** All of a restore but the ordinals, which each database gives out in its own way; up to the number of the change. */
export function* restore(restoring: Restoring): Steps<Closing> {
  const { incarnation, changeId, actor, atMs, backup, keepActive } = restoring;
  const before = yield* first(db.selectFrom('store').select(['incarnation', 'sequence']));
  if (before === undefined) throw new Error('there is no store');
  // Of a store that nodes follow each of them is waited for, until it has loaded the new state.
  if (backup !== undefined) yield* run(db.deleteFrom('nodes'));
  const tokenKeys = yield* replaceTokenKeys(restoring);
  for (const { ordinal } of yield* all(db.selectFrom('environments').select('ordinal'))) {
    yield* skipScopeSets(ordinal, incarnation);
    yield* skipResources(ordinal, incarnation);
  }
  const removed = keepActive ? 0 : yield* removeOperators();
  const claims = yield* revokeClaims(atMs);
  const approvals = keepActive ? 0 : yield* refuseApprovals(restoring);
  const webhooks = keepActive ? 0 : yield* disableWebhooks(restoring);
  const suspended = keepActive ? 0 : yield* suspendPrograms(restoring);
  // Last, as every change takes this row last: two that wait for each other would end in neither.
  yield* run(db.updateTable('store').set({ incarnation }).where('id', '=', 1));
  return {
    ...RESTORE,
    facts: [],
    detail: {
      incarnation,
      ...(backup === undefined
        ? { lost_commits: true }
        : { backup: backup.sha256, taken_at: new Date(backup.takenAtMs).toISOString() }),
      [backup === undefined ? 'earlier_incarnation' : 'backup_incarnation']: before.incarnation,
      [backup === undefined ? 'earlier_sequence' : 'backup_sequence']: before.sequence,
      token_keys: tokenKeys,
      claims_revoked: claims,
      approvals_refused: approvals,
      webhooks_disabled: webhooks,
      programs_suspended: suspended,
      operators_removed: removed,
      keep_active: keepActive,
    },
    actor,
    atMs,
    changeId,
  };
}

/** One new key an environment, and no other: whatever was sealed before, also after the backup, opens no more. */
function* replaceTokenKeys({ atMs, newTokenKey }: Restoring): Steps<Record<string, number>> {
  const added: Record<string, number> = {};
  const newest = yield* all(
    db
      .selectFrom('environments')
      .innerJoin('keys', 'keys.environment', 'environments.ordinal')
      .where('keys.purpose', '=', 'token')
      .groupBy(['environments.ordinal', 'environments.name'])
      .select(['environments.ordinal', 'environments.name'])
      .select((of) => of.fn.max('keys.version').as('version')),
  );
  yield* run(
    db
      .updateTable('keys')
      .set({ retired_at_ms: atMs })
      .where('purpose', '=', 'token')
      .where('retired_at_ms', 'is', null),
  );
  for (const { ordinal, name, version: last } of newest) {
    const version = last + TOKEN_KEY_VERSIONS_GAP;
    yield* run(
      db.insertInto('keys').values({
        purpose: 'token',
        environment: ordinal,
        version,
        wrapped: newTokenKey(name, version),
        created_at_ms: atMs,
        retired_at_ms: null,
      }),
    );
    added[name] = version;
  }
  // The journal tells by it that the tokens in it are dead.
  yield* run(
    db.updateTable('environments').set({ generation: sql`generation + ${GENERATIONS_GAP}` }),
  );
  return added;
}

/** One who was removed since would be back, and could do all that a role may; whoever has the store makes the others anew. */
function* removeOperators(): Steps<number> {
  const removed = yield* all(
    db
      .updateTable('clients')
      .set({ state: 'deleted', generation: sql`generation + 1` })
      .where('state', '!=', 'deleted')
      .where('environment', 'in', (of) =>
        of.selectFrom('environments').select('ordinal').where('name', '=', OPERATORS.environment),
      )
      .returning('ordinal'),
  );
  return removed.length;
}

/** A claim that was used since would be open once more. */
function* revokeClaims(atMs: number): Steps<number> {
  const revoked = yield* all(
    db
      .updateTable('claims')
      .set({ revoked_at_ms: atMs })
      .where('used_at_ms', 'is', null)
      .where('revoked_at_ms', 'is', null)
      .returning('claim_id'),
  );
  return revoked.length;
}

/** One that was refused since would be open to be granted. */
function* refuseApprovals({ actor, atMs }: Restoring): Steps<number> {
  const refused = yield* all(
    db
      .updateTable('approvals')
      .set({ state: 'refused', decided_at_ms: atMs, decided_by: actor })
      .where('state', '=', 'pending')
      .returning('approval_id'),
  );
  return refused.length;
}

/** A copy beside the store it was taken from would tell its receivers of another history; one that was deleted since would be back. */
function* disableWebhooks({ backup }: Restoring): Steps<number> {
  if (backup === undefined) return 0;
  const problem = `switched off: ${restoredReason(backup)}`;
  const disabled = yield* all(
    db
      .updateTable('webhooks')
      .set({ disabled: 1, problem })
      .where('disabled', '=', 0)
      .returning('webhook_id'),
  );
  return disabled.length;
}

const restoredReason = ({ takenAtMs }: NonNullable<Restoring['backup']>): string =>
  `restored from backup of ${new Date(takenAtMs).toISOString()}`;

function* suspendPrograms({ actor, atMs, backup }: Restoring): Steps<number> {
  const reason =
    backup === undefined ? 'the store came back without its last changes' : restoredReason(backup);
  const suspended = yield* all(
    db
      .updateTable('programs')
      .set({
        suspended: 1,
        generation: sql`generation + 1`,
        suspended_reason: reason,
        suspended_at_ms: atMs,
      })
      .where('suspended', '=', 0)
      .where('program_id', '!=', OPERATORS.programId)
      .returning('ordinal'),
  );
  // Those that were suspended as well: what they are suspended for may end by itself.
  const each = yield* all(
    db.selectFrom('programs').select('ordinal').where('program_id', '!=', OPERATORS.programId),
  );
  for (let from = 0; from < each.length; from += ROWS_PER_STATEMENT) {
    const some = each.slice(from, from + ROWS_PER_STATEMENT).map(({ ordinal }) => ordinal);
    yield* insertSuspensions('program', some, { reason, actor, atMs, bulk: 0 });
  }
  return suspended.length;
}

/** Numbers go on from the highest row, so a row keeps the gap; no scope and no URI can be spelled as `reserved` spells it. */
function* skipScopeSets(environment: number, incarnation: string): Steps<void> {
  const last = yield* first(
    db
      .selectFrom('scope_sets')
      .select((of) => of.fn.max('id').as('id'))
      .where('environment', '=', environment),
  );
  const id = (last?.id ?? 0) + SCOPE_SET_IDS_GAP;
  const scope = reserved(incarnation);
  yield* run(db.insertInto('scope_sets').values({ environment, id, scope, client: 0 }));
}

function* skipResources(environment: number, incarnation: string): Steps<void> {
  const last = yield* first(
    db
      .selectFrom('resources')
      .select((of) => of.fn.max('number').as('number'))
      .where('environment', '=', environment),
  );
  const known = last?.number ?? 0;
  const number = Math.min(known + RESOURCE_NUMBERS_GAP, RESOURCE_NUMBER_MAX);
  if (number === known) return;
  const uri = reserved(incarnation);
  yield* run(db.insertInto('resources').values({ environment, number, uri }));
}

const reserved = (incarnation: string): string => `"reserved by the restore ${incarnation}"`;
