/** Declared scopes and resources, and the scope sets that tokens name by number: append-only, never reused. */

import { canonicalScope } from '@countersign/protocol';
import type { Selectable } from 'kysely';
import type { Fact } from '../../../ports/change-log.ts';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange, newestChange } from '../append.ts';
import { all, db, first, firstLocked, run, type Steps, type Tables } from '../schema.ts';

type EnvironmentRow = Selectable<Tables['environments']>;
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

/** A client that asks for ever new combinations of its scopes may mint this many, so that none can fill the table. */
const CLIENT_SCOPE_SETS_MAX = 256;
const RESOURCE_NUMBER_MAX = 65_535;

export function* environmentRow(name: string): Steps<EnvironmentRow> {
  const rows = yield* all(db.selectFrom('environments').selectAll().orderBy('ordinal'));
  const row = rows.find((environment) => environment.name === name);
  if (row === undefined) {
    const known = rows.map((environment) => environment.name).join(', ');
    throw new ChangeRefused('not-found', `there is no environment ${name}; there are: ${known}`);
  }
  return row;
}

/** The row, kept from other writers: what is numbered within an environment is numbered by one at a time. */
export function* lockedEnvironment(name: string): Steps<EnvironmentRow> {
  const { ordinal } = yield* environmentRow(name);
  return yield* lockedEnvironmentRow(ordinal);
}

function* lockedEnvironmentRow(ordinal: number): Steps<EnvironmentRow> {
  const row = yield* firstLocked(
    db.selectFrom('environments').selectAll().where('ordinal', '=', ordinal),
  );
  if (row === undefined) throw new ChangeRefused('not-found', 'there is no such environment');
  return row;
}

export function* requireScopes(environment: EnvironmentRow, names: readonly string[]): Steps<void> {
  const declared = new Set(
    (yield* all(
      db.selectFrom('scopes').select('name').where('environment', '=', environment.ordinal),
    )).map((row) => row.name),
  );
  for (const name of names) {
    if (declared.has(name)) continue;
    throw new ChangeRefused(
      'invalid',
      `scope ${name} is not declared in ${environment.name}; declare it first: ` +
        `countersign scope create ${name} --environment ${environment.name}`,
    );
  }
}

export function* resourceNumbers(
  environment: EnvironmentRow,
  uris: readonly string[],
): Steps<readonly number[]> {
  const declared = new Map(
    (yield* all(
      db
        .selectFrom('resources')
        .select(['uri', 'number'])
        .where('environment', '=', environment.ordinal),
    )).map((row) => [row.uri, row.number]),
  );
  return uris.map((uri) => {
    const number = declared.get(uri);
    if (number !== undefined) return number;
    throw new ChangeRefused(
      'invalid',
      `resource ${uri} is not declared in ${environment.name}; declare it first: ` +
        `countersign resource create ${uri} --environment ${environment.name}`,
    );
  });
}

/** Every change that gives a scope, a resource or a combination of scopes its number. */
export function* declare(
  change: Of<'scope.create' | 'resource.create' | 'scope-set.intern'>,
): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'scope.create':
      return yield* createScope(change);
    case 'resource.create':
      return yield* createResource(change);
    case 'scope-set.intern':
      return yield* internScopeSetChange(change);
  }
}

function* createScope(change: Of<'scope.create'>): Steps<Effect | Committed> {
  const environment = yield* lockedEnvironment(change.environment);
  const target = `${change.environment}/${change.name}`;
  const rows = yield* all(
    db
      .selectFrom('scopes')
      .select(['number', 'name'])
      .where('environment', '=', environment.ordinal),
  );
  if (rows.some((row) => row.name === change.name)) {
    return yield* earlierChange(change.kind, target);
  }
  const scope = {
    environment: environment.ordinal,
    number: rows.length + 1,
    name: change.name,
  };
  yield* run(db.insertInto('scopes').values(scope));
  return { target, facts: [{ is: 'scope', ...scope }] };
}

function* createResource(change: Of<'resource.create'>): Steps<Effect | Committed> {
  const environment = yield* lockedEnvironment(change.environment);
  const target = `${change.environment}/${change.uri}`;
  const rows = yield* all(
    db
      .selectFrom('resources')
      .select(['number', 'uri'])
      .where('environment', '=', environment.ordinal),
  );
  if (rows.some((row) => row.uri === change.uri)) {
    return yield* earlierChange(change.kind, target);
  }
  // From the highest, not from how many: a restore leaves numbers out.
  const number = Math.max(0, ...rows.map((row) => row.number)) + 1;
  if (number > RESOURCE_NUMBER_MAX) {
    throw new ChangeRefused('limit', `${change.environment} has as many resources as fit`);
  }
  const resource = { environment: environment.ordinal, number, uri: change.uri };
  yield* run(db.insertInto('resources').values(resource));
  return { target, facts: [{ is: 'resource', ...resource }] };
}

/** Gives a scope combination its number in the environment; [] when it has one. */
export function* internScopeSet(set: {
  environment: number;
  scope: string;
  client: number;
}): Steps<readonly Fact[]> {
  const scope = canonicalScope(set.scope === '' ? [] : set.scope.split(' '));
  const known = db
    .selectFrom('scope_sets')
    .select('id')
    .where('environment', '=', set.environment)
    .where('scope', '=', scope);
  if ((yield* first(known)) !== undefined) return [];
  yield* lockedEnvironmentRow(set.environment);
  if ((yield* first(known)) !== undefined) return [];
  const minted = yield* first(
    db
      .selectFrom('scope_sets')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('client', '=', set.client),
  );
  if ((minted?.count ?? 0) >= CLIENT_SCOPE_SETS_MAX) {
    throw new ChangeRefused('limit', 'the client has asked for too many scope combinations');
  }
  const last = yield* first(
    db
      .selectFrom('scope_sets')
      .select((of) => of.fn.max('id').as('id'))
      .where('environment', '=', set.environment),
  );
  const row = {
    environment: set.environment,
    id: (last?.id ?? 0) + 1,
    scope,
    client: set.client,
  };
  yield* run(db.insertInto('scope_sets').values(row));
  return [{ is: 'scope-set', environment: row.environment, id: row.id, scope }];
}

function* internScopeSetChange(change: Of<'scope-set.intern'>): Steps<Effect | Committed> {
  const target = `${change.environment}/${change.scope}`;
  const facts = yield* internScopeSet(change);
  if (facts.length > 0) return { target, facts, detail: { client: change.client } };
  // The combination may have come with a client's creation: then any number since is recent enough.
  return yield* newestChange();
}

export function* configureEnvironment(
  change: Of<'environment.configure'>,
): Steps<Effect | Committed> {
  const environment = yield* lockedEnvironment(change.environment);
  if (environment.issuer === change.issuer) {
    return yield* earlierChange(change.kind, change.environment);
  }
  yield* run(
    db
      .updateTable('environments')
      .set({ issuer: change.issuer })
      .where('ordinal', '=', environment.ordinal),
  );
  const { ordinal, name, tag, generation } = environment;
  return {
    target: change.environment,
    facts: [{ is: 'environment', ordinal, name, tag, issuer: change.issuer, generation }],
    detail: { issuer: change.issuer, before: environment.issuer },
  };
}
