/** The last change about a program or a client: what an ETag names, and what a careful change insists on. */

import { ChangeRefused, type Command } from '../../ports/store.ts';
import { RESTORE } from './append.ts';
import { all, db, first, firstLocked, type Steps } from './schema.ts';

/** Changes of many at once do not say of whom: each counts as one about everybody, so that none is ever missed. */
const OF_MANY = [RESTORE.target, 'clients', 'suspensions'];

/** Number of the last change about a target; a client's secrets and claims count as the client. 0: there was none. */
export function* lastChange(target: string): Steps<number> {
  const secrets = yield* all(
    db
      .selectFrom('secrets')
      .innerJoin('clients', 'clients.ordinal', 'secrets.client')
      .select('secrets.secret_id')
      .where('clients.client_id', '=', target),
  );
  const claims = yield* all(
    db
      .selectFrom('claims')
      .innerJoin('clients', 'clients.ordinal', 'claims.client')
      .select('claims.claim_id')
      .where('clients.client_id', '=', target),
  );
  const parts = [...secrets.map((row) => row.secret_id), ...claims.map((row) => row.claim_id)];
  const targets = [target, ...OF_MANY, ...parts];
  const row = yield* first(
    db
      .selectFrom('changes')
      .select((of) => of.fn.max('sequence').as('sequence'))
      .where('target', 'in', targets),
  );
  // Of no row at all the maximum is NULL.
  return (row?.sequence as number | null | undefined) ?? 0;
}

/** Throws `ChangeRefused` when the target has changed since. Keeps it from others who insist as well. */
export function* requireUnchanged({
  target,
  change,
}: NonNullable<Command['expected']>): Steps<void> {
  yield* firstLocked(db.selectFrom('programs').select('ordinal').where('program_id', '=', target));
  yield* firstLocked(db.selectFrom('clients').select('ordinal').where('client_id', '=', target));
  const last = yield* lastChange(target);
  if (last === change) return;
  throw new ChangeRefused(
    'stale',
    `${target} has changed since it was read (change ${last}): read it again and decide anew`,
  );
}
