/** What there is, for people: programs, clients, secrets, scopes and resources. Holds no secret, so it can show none. */

import type { ProgramFilter } from '../ports/directory.ts';
import type { ClientRecord, ProgramRecord, SecretRecord } from '../ports/model.ts';
import { ChangeRefused } from '../ports/store.ts';
import type { SuspensionRecord } from '../ports/suspensions.ts';
import { environmentNamed, type OperationContext, partnerEnvironments } from './context.ts';
import { requireClientId, requireEnvironmentName, requireProgramId } from './input.ts';

type Reads = Pick<OperationContext, 'directory'>;
export type DeclaredScope = { readonly environment: string; readonly name: string };
export type DeclaredUri = { readonly environment: string; readonly uri: string };

/** A page of a list, and what to show of it; left out: all. */
export type Page = Pick<ProgramFilter, 'after' | 'limit' | 'nameContains'>;

/** Programs in the order of their creation. */
export function listPrograms(
  context: Reads,
  filter: Page & Pick<ProgramFilter, 'programId' | 'state'> = {},
): Promise<readonly ProgramRecord[]> {
  return context.directory.programs(filter);
}

/** One program with its clients and what suspends it. Throws `ChangeRefused`. */
export async function showProgram(
  context: Reads,
  input: { readonly programId: string },
): Promise<{
  program: ProgramRecord;
  clients: readonly ClientRecord[];
  /** The open ones. */
  suspensions: readonly SuspensionRecord[];
}> {
  const programId = requireProgramId(input.programId);
  const [program] = await context.directory.programs({ programId });
  if (program === undefined) throw noProgram(programId);
  return {
    program,
    clients: await listClients(context, { programId }),
    suspensions: await context.directory.suspensions({ programId, openOnly: true }),
  };
}

/** Clients in the order of their creation, deleted ones left out. Throws `ChangeRefused` for a program that does not exist. */
export async function listClients(
  context: Reads,
  input: Page & {
    readonly programId?: string | undefined;
    readonly environment?: string | undefined;
    readonly state?: 'active' | 'suspended' | undefined;
  },
): Promise<readonly ClientRecord[]> {
  const { environment, state = 'present', ...rest } = input;
  if (environment !== undefined) {
    await environmentNamed(context, requireEnvironmentName(environment));
  }
  const programId = input.programId === undefined ? undefined : requireProgramId(input.programId);
  if (programId !== undefined && (await context.directory.programs({ programId })).length === 0) {
    throw noProgram(programId);
  }
  return await context.directory.clients({ ...rest, environment, programId, state });
}

/** One client with its secrets and what suspends it; a deleted one is shown as such. Throws `ChangeRefused`. */
export async function showClient(
  context: Reads,
  input: { readonly clientId: string },
): Promise<{
  client: ClientRecord;
  secrets: readonly SecretRecord[];
  /** The open ones. */
  suspensions: readonly SuspensionRecord[];
}> {
  const clientId = requireClientId(input.clientId);
  const [client] = await context.directory.clients({ clientId });
  if (client === undefined) throw noClient(clientId);
  return {
    client,
    secrets: await context.directory.secrets({ clientId }),
    suspensions: await context.directory.suspensions({ clientId, openOnly: true }),
  };
}

/** The secrets of a client, by id and hint. Throws `ChangeRefused`. */
export async function listSecrets(
  context: Reads,
  input: { readonly clientId: string },
): Promise<readonly SecretRecord[]> {
  return (await showClient(context, input)).secrets;
}

/** A client that is not deleted. Throws `ChangeRefused`. */
export async function requireClient(context: Reads, clientId: string): Promise<ClientRecord> {
  const { client } = await showClient(context, { clientId });
  if (client.state === 'deleted') throw noClient(clientId);
  return client;
}

/** Declared scopes of one environment, or of all. Throws `ChangeRefused`. */
export async function listScopes(
  context: Reads,
  input: { readonly environment?: string | undefined },
): Promise<readonly DeclaredScope[]> {
  return await ofEnvironments(context, input.environment, async (environment) =>
    (await context.directory.scopes(environment)).map(({ name }) => ({ environment, name })),
  );
}

/** Declared resources of one environment, or of all. Throws `ChangeRefused`. */
export async function listResources(
  context: Reads,
  input: { readonly environment?: string | undefined },
): Promise<readonly DeclaredUri[]> {
  return await ofEnvironments(context, input.environment, async (environment) =>
    (await context.directory.resources(environment)).map(({ uri }) => ({ environment, uri })),
  );
}

async function ofEnvironments<T>(
  context: Reads,
  name: string | undefined,
  read: (environment: string) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const environments =
    name === undefined
      ? await partnerEnvironments(context)
      : [await environmentNamed(context, requireEnvironmentName(name))];
  return (await Promise.all(environments.map((one) => read(one.name)))).flat();
}

function noProgram(programId: string): ChangeRefused {
  return new ChangeRefused(
    'not-found',
    `there is no program ${programId}; 'countersign program list' shows the ones there are`,
  );
}

function noClient(clientId: string): ChangeRefused {
  return new ChangeRefused(
    'not-found',
    `there is no client ${clientId}; 'countersign client list' shows the ones there are`,
  );
}
