/** Changes of policies: one row each, written when somebody decides, absent while the fallback holds. */

import type { Fact } from '../../../ports/change-log.ts';
import type { Change, Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { db, firstLocked, run, type Steps } from '../schema.ts';

export const policyFact = ({ name, value }: { name: string; value: string }): Fact => ({
  is: 'policy',
  name,
  value,
});

/** Sets a policy; what is set so already stays as it is. */
export function* setPolicy(
  change: Extract<Change, { kind: 'policy.set' }>,
  by: { readonly actor: string; readonly atMs: number },
): Steps<Effect | Committed> {
  const { name, value } = change;
  const target = `policy/${name}`;
  const before = yield* firstLocked(
    db.selectFrom('policies').select('value').where('name', '=', name),
  );
  if (before?.value === value) return yield* earlierChange(change.kind, target);
  const set = { value, set_at_ms: by.atMs, set_by: by.actor };
  yield* run(
    db
      .insertInto('policies')
      .values({ name, ...set })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(set)),
  );
  const was = before === undefined ? {} : { was: before.value };
  return { target, facts: [policyFact(change)], detail: { value, ...was } };
}
