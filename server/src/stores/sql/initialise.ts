/** The first transaction of a store: its identity, its environments and their first keys. */

import type { KeyPurpose } from '../../ports/model.ts';
import type { Closing } from './append.ts';
import { db, first, run, type Steps } from './schema.ts';

export type InitialStore = {
  readonly incarnation: string;
  readonly changeId: string;
  readonly masterKeyCheck: string;
  readonly actor: string;
  readonly atMs: number;
  readonly environments: readonly { name: string; tag: string; issuer: string }[];
  readonly keys: readonly {
    purpose: KeyPurpose;
    environment: string;
    version: number;
    wrapped: string;
  }[];
};

/** The first rows of a new store, up to the number of its first change; undefined: there is a store already. */
export function* initialise(initial: InitialStore): Steps<Closing | undefined> {
  const known = yield* first(db.selectFrom('store').select('id'));
  if (known !== undefined) return undefined;
  const { atMs } = initial;
  yield* run(
    db.insertInto('store').values({
      id: 1,
      incarnation: initial.incarnation,
      master_key_check: initial.masterKeyCheck,
      sequence: 0,
      change_id: '',
      audit_sequence: 0,
      audit_hash: '',
      audit_at_ms: 0,
      created_at_ms: atMs,
    }),
  );
  const ordinals = new Map<string, number>();
  for (const [index, environment] of initial.environments.entries()) {
    ordinals.set(environment.name, index + 1);
    yield* run(
      db.insertInto('environments').values({ ...environment, ordinal: index + 1, generation: 0 }),
    );
  }
  for (const { purpose, environment, version, wrapped } of initial.keys) {
    const ordinal = ordinals.get(environment);
    if (ordinal === undefined) throw new Error(`a key names no environment: ${environment}`);
    yield* run(
      db.insertInto('keys').values({
        purpose,
        environment: ordinal,
        version,
        wrapped,
        created_at_ms: atMs,
        retired_at_ms: null,
      }),
    );
  }
  return {
    kind: 'store.create',
    target: initial.incarnation,
    facts: [],
    detail: { environments: initial.environments.map(({ name }) => name) },
    actor: initial.actor,
    atMs,
    changeId: initial.changeId,
  };
}
