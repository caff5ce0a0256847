/** Operators: people and tools that work through the admin API, each with a credential and a role of its own. */

import { newClientId, tagOfClientId } from '../credentials/identifiers.ts';
import type { Secret } from '../credentials/secret-value.ts';
import { type ClientRecord, type EnvironmentRecord, OPERATORS, type Role } from '../ports/model.ts';
import { ChangeRefused } from '../ports/store.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { invalid, requireName, requireProgramId } from './input.ts';
import { makeSecret } from './secret-material.ts';

/** Short, as such a token can do so much: a client gets the next one by itself. */
const TOKEN_LIFETIME_SECONDS = 15 * 60;

export type Operator = {
  readonly clientId: string;
  readonly name: string;
  readonly role: Role;
  /** The partner program that it is bound to. */
  readonly programId?: string;
  readonly state: ClientRecord['state'];
  readonly createdAtMs: number;
};

export type CreatedOperator = Done &
  Pick<Operator, 'clientId' | 'name' | 'role' | 'programId'> & {
    /** Handed out here and never again. */
    readonly clientSecret: Secret;
    readonly secretId: string;
    readonly tokenEndpoint: string;
  };

/** Creates an operator. A partner's is bound to its program; every other role is for the bank's own people. Throws `ChangeRefused`. */
export async function createOperator(
  context: OperationContext,
  input: { readonly name: string; readonly role: string; readonly programId?: string | undefined },
): Promise<CreatedOperator> {
  const name = requireName('NAME', input.name);
  const role = requireRole(input.role);
  if ((role === 'partner') !== (input.programId !== undefined)) {
    throw invalid('--program goes with --role partner, and with no other role');
  }
  const bound = input.programId === undefined ? undefined : requireProgramId(input.programId);
  const environment = await openOperators(context);
  const clientId = newClientId(context.randomness, environment.tag);
  const { clientSecret, stored } = makeSecret(context, environment, {
    name: undefined,
    expiresAtMs: undefined,
  });
  const done = await commitAndAwait(context, {
    kind: 'operator.create',
    clientId,
    programId: bound ?? OPERATORS.programId,
    name,
    role,
    tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
    secret: stored,
  });
  return {
    ...{ clientId, name, role, clientSecret },
    ...(bound === undefined ? {} : { programId: bound }),
    secretId: stored.secretId,
    tokenEndpoint: `${environment.issuer}/token`,
    ...done,
  };
}

/** Operators in the order of their creation, removed ones left out. */
export async function listOperators(
  context: Pick<OperationContext, 'directory'>,
  page: { readonly after?: number | undefined; readonly limit?: number | undefined } = {},
): Promise<readonly (Operator & { readonly ordinal: number })[]> {
  const { environment } = OPERATORS;
  const clients = await context.directory.clients({ environment, state: 'present', ...page });
  return clients.map((client) => ({
    ordinal: client.ordinal,
    clientId: client.clientId,
    name: client.name,
    role: requireRole(client.scope[0] ?? ''),
    ...(client.programId === OPERATORS.programId ? {} : { programId: client.programId }),
    state: client.state,
    createdAtMs: client.createdAtMs,
  }));
}

/** Removes an operator: its tokens die with its receipt. Removing it again returns that receipt. Throws `ChangeRefused`. */
export async function removeOperator(
  context: OperationContext,
  input: { readonly clientId: string },
): Promise<Done> {
  const { clientId } = input;
  if (tagOfClientId(clientId) !== OPERATORS.tag) throw noOperator();
  return await commitAndAwait(context, { kind: 'operator.remove', clientId });
}

/** The environment of operators, made where it is missing: a store may be older than operators are. */
export async function openOperators(
  context: Pick<
    OperationContext,
    'directory' | 'changes' | 'keyRing' | 'randomness' | 'clock' | 'actor' | 'adminIssuer'
  >,
): Promise<EnvironmentRecord> {
  const { directory, changes, keyRing, randomness, clock, actor, adminIssuer } = context;
  const find = async (): Promise<EnvironmentRecord | undefined> =>
    (await directory.environments()).find(({ name }) => name === OPERATORS.environment);
  const known = await find();
  if (known?.tag === OPERATORS.tag) return known;
  const named = { environment: OPERATORS.environment, version: 1 };
  const keys = (['token', 'secret'] as const).map((purpose) => ({
    purpose,
    wrapped: keyRing.newRoot({ ...named, purpose }, randomness),
  }));
  await changes.commit({
    change: { kind: 'operators.open', issuer: adminIssuer, keys },
    actor,
    atMs: clock.wallMs(),
  });
  const made = await find();
  if (made === undefined) throw new Error('the environment of operators was not made');
  // Another process may have been faster: the keys that count are those in the store.
  for (const key of await directory.keys(clock.wallMs())) {
    if (key.environment === made.name) keyRing.add({ ...key, environment: made });
  }
  return made;
}

function requireRole(text: string): Role {
  const role = OPERATORS.roles.find((one) => one === text);
  if (role !== undefined) return role;
  throw invalid(`--role must be one of ${OPERATORS.roles.join(', ')}`);
}

function noOperator(): ChangeRefused {
  return new ChangeRefused(
    'not-found',
    "ID is no operator's id; 'countersign operator list' shows the ones there are",
  );
}
