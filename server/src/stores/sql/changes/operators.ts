/** Changes of operators: clients of an environment that is theirs alone, whose scopes are their roles. */

import type { Fact } from '../../../ports/change-log.ts';
import { OPERATORS } from '../../../ports/model.ts';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import { type Effect, earlierChange } from '../append.ts';
import { all, db, first, firstLocked, run, type Steps } from '../schema.ts';
import { createClient } from './clients.ts';
import { programFact } from './programs.ts';

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

/** Once in the life of a store, which may be older than operators are. */
export function* openOperators(
  change: Of<'operators.open'>,
  atMs: number,
): Steps<Effect | Committed> {
  const { environment: name, tag, roles } = OPERATORS;
  // Nodes that start together all ask for it: the others wait here, and read afterwards.
  yield* firstLocked(db.selectFrom('environments').select('ordinal').orderBy('ordinal'));
  const others = yield* all(db.selectFrom('environments').selectAll().orderBy('ordinal'));
  const known = others.find((one) => one.name === name);
  if (known?.tag === tag) return yield* earlierChange(change.kind, name);
  if (known !== undefined || others.some((one) => one.tag === tag)) {
    throw new ChangeRefused(
      'conflict',
      `the environment name ${name} and the tag ${tag} belong to operators, and this store uses one of them for partners`,
    );
  }
  const ordinal = Math.max(0, ...others.map((one) => one.ordinal)) + 1;
  const environment = { ordinal, name, tag, issuer: change.issuer, generation: 0 };
  yield* run(db.insertInto('environments').values(environment));
  const facts: Fact[] = [{ is: 'environment', ...environment }];
  for (const { purpose, wrapped } of change.keys) {
    const key = { purpose, environment: ordinal, version: 1, wrapped };
    yield* run(db.insertInto('keys').values({ ...key, created_at_ms: atMs, retired_at_ms: null }));
    facts.push({ is: 'key', ...key });
  }
  for (const [index, role] of roles.entries()) {
    const scope = { environment: ordinal, number: index + 1, name: role };
    yield* run(db.insertInto('scopes').values(scope));
    facts.push({ is: 'scope', ...scope });
  }
  facts.push(yield* insertProgram(atMs));
  return { target: name, facts, detail: { issuer: change.issuer } };
}

function* insertProgram(atMs: number): Steps<Fact> {
  const program = {
    program_id: OPERATORS.programId,
    name: 'Operators',
    generation: 0,
    suspended: 0,
  };
  const row = yield* first(
    db
      .insertInto('programs')
      .values({ ...program, created_at_ms: atMs } as never)
      .returning('ordinal'),
  );
  if (row === undefined) throw new Error('a program was inserted without a row');
  return programFact({ ...program, ordinal: row.ordinal });
}

export function* createOperator(
  change: Of<'operator.create'>,
  by: { actor: string; atMs: number },
): Steps<Effect> {
  const { clientId, programId, name, role, tokenLifetimeSeconds, secret } = change;
  const effect = yield* createClient(
    {
      kind: 'client.create',
      ...{ clientId, programId, name, tokenLifetimeSeconds, secret },
      environment: OPERATORS.environment,
      scope: [role],
      resources: [],
      allowIp: [],
      resourceServer: false,
    },
    by,
  );
  return { ...effect, detail: { program: programId, name, role, secret: secret.secretId } };
}
