/** The last change about a program or a client: what an ETag names, and what a careful change insists on. */

import { ChangeRefused, type Command } from '../../ports/store.ts';
import { RESTORE } from './append.ts';
import { db, first, firstLocked, type Steps } from './schema.ts';

/** Changes of many at once do not say of whom: each counts as one about everybody, so that none is ever missed. */
const OF_MANY = [RESTORE.target, 'clients', 'suspensions'];

/** Number of the last change about a target; a client's secrets and claims count as the client. 0: there was none. */
export function* lastChange(target: string): Steps<number> {
  const own = db.selectFrom('clients').select('ordinal').where('client_id', '=', target);
  const secrets = db.selectFrom('secrets').select('secret_id as id').where('client', 'in', own);
  const claims = db.selectFrom('claims').select('claim_id as id').where('client', 'in', own);
  const newest = db.selectFrom('changes').select((of) => of.fn.max('sequence').as('sequence'));
  const itself = yield* first(newest.where('target', 'in', [target, ...OF_MANY]));
  // As a subquery: of a client that was rotated for years there are more than a statement has parameters for.
  const parts = yield* first(newest.where('target', 'in', secrets.unionAll(claims)));
  return Math.max(numberOf(itself), numberOf(parts));
}

/** Of no row at all the maximum is NULL. */
function numberOf(row: { readonly sequence: unknown } | undefined): number {
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
