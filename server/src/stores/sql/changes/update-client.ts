/** The change of a client's settings. Whoever may do less than before loses the tokens that still could do more. */

import type { Change, Committed } from '../../../ports/store.ts';
import { type Effect, newestChange } from '../append.ts';
import { all, db, run, type Steps } from '../schema.ts';
import { type ClientRow, clientRow } from './client-row.ts';
import { clientFact } from './clients.ts';
import { environmentRow, internScopeSet, requireScopes, resourceNumbers } from './scopes.ts';

type Update = Extract<Change, { kind: 'client.update' }>;

/** Sets what the update names. Narrowing scope, resources, addresses or lifetime raises the generation, unless told to keep tokens. */
export function* updateClient(change: Update): Steps<Effect | Committed> {
  const before = yield* clientRow(change.clientId);
  const environment = yield* environmentRow(yield* environmentName(before.environment));
  const { set } = change;
  if (set.scope !== undefined) yield* requireScopes(environment, set.scope);
  const resources =
    set.resources === undefined ? undefined : yield* resourceNumbers(environment, set.resources);
  const wanted = { ...before, ...columnsOf(set, resources) };
  if (!differs(before, wanted)) return yield* newestChange();

  const kills = narrows(before, wanted) && !change.keepTokens;
  const after = kills ? { ...wanted, generation: before.generation + 1 } : wanted;
  const { ordinal, ...columns } = after;
  yield* run(db.updateTable('clients').set(columns).where('ordinal', '=', ordinal));
  const scopeSet = yield* internScopeSet({
    environment: before.environment,
    scope: after.scope,
    client: ordinal,
  });
  return {
    target: change.clientId,
    facts: [...scopeSet, clientFact(after)],
    detail: { ...detailOf(set), kills_tokens: kills },
  };
}

function* environmentName(ordinal: number): Steps<string> {
  const [row] = yield* all(
    db.selectFrom('environments').select('name').where('ordinal', '=', ordinal),
  );
  return row?.name ?? '';
}

function columnsOf(
  set: Update['set'],
  resources: readonly number[] | undefined,
): Partial<ClientRow> {
  const { tokenQuota } = set;
  return {
    ...(set.name === undefined ? {} : { name: set.name }),
    ...(set.scope === undefined ? {} : { scope: [...set.scope].sort().join(' ') }),
    ...(resources === undefined ? {} : { resources: JSON.stringify(resources) }),
    ...(set.allowIp === undefined ? {} : { allow_ip: JSON.stringify(set.allowIp) }),
    ...(set.verifyAddress === undefined ? {} : { verify_address: set.verifyAddress ? 1 : 0 }),
    ...(set.tokenLifetimeSeconds === undefined
      ? {}
      : { token_lifetime_s: set.tokenLifetimeSeconds }),
    ...(tokenQuota === undefined ? {} : quotaColumns(tokenQuota)),
  };
}

function quotaColumns(quota: NonNullable<Update['set']['tokenQuota']>): Partial<ClientRow> {
  if (quota === 'none') return { token_quota: null, quota_enforced: 0 };
  return { token_quota: quota.perHour, quota_enforced: quota.enforced ? 1 : 0 };
}

function differs(before: ClientRow, after: ClientRow): boolean {
  const columns = Object.keys(before) as (keyof ClientRow)[];
  return columns.some((column) => before[column] !== after[column]);
}

/** Whether a token of before could do what the client may not do any more. A quota is about new tokens only. */
function narrows(before: ClientRow, after: ClientRow): boolean {
  const names = (row: ClientRow): readonly string[] => row.scope.split(' ');
  const numbers = (row: ClientRow): readonly number[] => JSON.parse(row.resources) as number[];
  const blocks = (row: ClientRow): readonly string[] => JSON.parse(row.allow_ip) as string[];
  return (
    !containsAll(names(after), names(before)) ||
    !containsAll(numbers(after), numbers(before)) ||
    losesAddresses(blocks(before), blocks(after)) ||
    after.verify_address > before.verify_address ||
    after.token_lifetime_s < before.token_lifetime_s
  );
}

/** By the blocks as they are written: a wider one in place of a narrow one counts as a loss, which costs new tokens and nothing else. */
function losesAddresses(before: readonly string[], after: readonly string[]): boolean {
  if (after.length === 0) return false;
  return before.length === 0 || !containsAll(after, before);
}

function containsAll<Item>(all: readonly Item[], wanted: readonly Item[]): boolean {
  return wanted.every((item) => all.includes(item));
}

function detailOf(set: Update['set']): Readonly<Record<string, unknown>> {
  const { tokenQuota } = set;
  const quota =
    tokenQuota === undefined || tokenQuota === 'none'
      ? tokenQuota
      : { per_hour: tokenQuota.perHour, enforced: tokenQuota.enforced };
  const entries = {
    name: set.name,
    scope: set.scope?.join(' '),
    resources: set.resources,
    allow_ip: set.allowIp,
    verify_address: set.verifyAddress,
    token_lifetime_seconds: set.tokenLifetimeSeconds,
    token_quota: quota,
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
