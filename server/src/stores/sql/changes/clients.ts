/** Changes of clients. A deleted client leaves a tombstone: neither its id nor its ordinal is ever given out again. */

import type { Fact } from '../../../ports/change-log.ts';
import type { Change, Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { db, first, firstLocked, run, type Steps } from '../schema.ts';
import { claimDetail, insertClaim } from './claims.ts';
import { type ClientRow, clientRow } from './client-row.ts';
import { programRow } from './programs.ts';
import { environmentRow, internScopeSet, requireScopes, resourceNumbers } from './scopes.ts';
import { insertSecret } from './secrets.ts';
import {
  closeSuspensions,
  earlierReactivation,
  endSuspensions,
  openSuspension,
  openSuspensions,
  type Suspendable,
} from './suspensions.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
type By = { readonly actor: string; readonly atMs: number };

export function clientFact(
  row: Pick<
    ClientRow,
    | 'ordinal'
    | 'client_id'
    | 'program'
    | 'environment'
    | 'generation'
    | 'state'
    | 'resource_server'
    | 'verify_address'
  >,
): Fact {
  return {
    is: 'client',
    ordinal: row.ordinal,
    clientId: row.client_id,
    program: row.program,
    environment: row.environment,
    generation: row.generation,
    state: row.state,
    resourceServer: row.resource_server === 1,
    verifyAddress: row.verify_address === 1,
  };
}

export function* createClient(change: Of<'client.create'>, by: By): Steps<Effect> {
  const program = yield* programRow(change.programId);
  const environment = yield* environmentRow(change.environment);
  yield* requireScopes(environment, change.scope);
  const resources = yield* resourceNumbers(environment, change.resources);
  const scope = [...change.scope].sort().join(' ');
  const row = (yield* first(
    db
      .insertInto('clients')
      .values({
        client_id: change.clientId,
        program: program.ordinal,
        environment: environment.ordinal,
        name: change.name,
        generation: 0,
        state: 'active',
        scope,
        resources: JSON.stringify(resources),
        allow_ip: JSON.stringify(change.allowIp),
        token_lifetime_s: change.tokenLifetimeSeconds,
        resource_server: change.resourceServer ? 1 : 0,
        created_at_ms: by.atMs,
      } as never)
      .returningAll(),
  )) as ClientRow;
  const scopeSet = yield* internScopeSet({
    environment: environment.ordinal,
    scope,
    client: row.ordinal,
  });
  const { secret, claim } = change;
  const secretFacts = secret === undefined ? [] : [yield* insertSecret(row.ordinal, secret, by)];
  if (claim !== undefined) yield* insertClaim(row.ordinal, claim, by);
  return {
    target: change.clientId,
    facts: [...scopeSet, clientFact(row), ...secretFacts],
    detail: {
      program: change.programId,
      environment: change.environment,
      name: change.name,
      scope,
      resources: change.resources,
      allow_ip: change.allowIp,
      token_lifetime_seconds: change.tokenLifetimeSeconds,
      resource_server: change.resourceServer,
      secret: secret?.secretId,
      claim: claim === undefined ? undefined : { id: claim.claimId, ...claimDetail(claim) },
    },
  };
}

export function* suspendClient(change: Of<'client.suspend'>, by: By): Steps<Effect | Committed> {
  const client = yield* clientRow(change.clientId);
  const opened = yield* openSuspension(suspendable(client), change, by);
  if ('changed' in opened) return opened;
  const effect = { target: change.clientId, ...opened };
  // Its tokens are dead already: one suspension more raises nothing.
  if (client.state === 'suspended') return { ...effect, facts: [] };
  const after = { ...client, state: 'suspended', generation: client.generation + 1 } as const;
  yield* run(
    db
      .updateTable('clients')
      .set({ state: 'suspended', generation: after.generation, suspended_reason: change.reason })
      .where('ordinal', '=', client.ordinal),
  );
  return { ...effect, facts: [clientFact(after)] };
}

/** Lets a client work again once none of its suspensions is open, with the generation that it has. */
export function* reactivateClient(
  change: Of<'client.reactivate'>,
  by: By,
): Steps<Effect | Committed> {
  const client = yield* clientRow(change.clientId);
  if (client.state === 'active') return yield* earlierReactivation(change.kind, change.clientId);
  const { remains, detail } = yield* endSuspensions(suspendable(client), change, by);
  const after =
    remains === undefined
      ? ({ state: 'active', suspended_reason: null } as const)
      : { suspended_reason: remains };
  yield* run(db.updateTable('clients').set(after).where('ordinal', '=', client.ordinal));
  return { target: change.clientId, facts: [clientFact({ ...client, ...after })], detail };
}

const suspendable = (row: ClientRow): Suspendable => ({
  owner: 'client',
  ordinal: row.ordinal,
  target: row.client_id,
  isSuspended: row.state === 'suspended',
  shownReason: row.suspended_reason,
});

export function* deleteClient(
  change: Of<'client.delete' | 'operator.remove'>,
  by: By,
): Steps<Effect | Committed> {
  // Locked before it is judged: of two who delete at once, the second finds the tombstone.
  const row = yield* firstLocked(
    db.selectFrom('clients').select('state').where('client_id', '=', change.clientId),
  );
  if (row?.state === 'deleted') return yield* earlierChange(change.kind, change.clientId);
  const client = yield* clientRow(change.clientId);
  yield* closeSuspensions(yield* openSuspensions('client', [client.ordinal]), by);
  const after = { ...client, state: 'deleted', generation: client.generation + 1 } as const;
  yield* run(
    db
      .updateTable('clients')
      .set({ state: 'deleted', generation: after.generation })
      .where('ordinal', '=', client.ordinal),
  );
  return { target: change.clientId, facts: [clientFact(after)] };
}
