/** Onboards partners through the command line, and asks for tokens as they would. */

import assert from 'node:assert/strict';
import { post, type Sending } from './exchange.ts';
import type { Authority, Environment } from './harness.ts';
import type { Reply } from './reply.ts';

/** What `client create` prints, under the names that it prints. */
export type Client = {
  readonly client_id: string;
  readonly client_secret: string;
  readonly environment: Environment;
  readonly token_endpoint: string;
  readonly secret_id: string;
};

export type ClientOptions = {
  readonly environment?: Environment;
  readonly scope?: string;
  readonly resources?: readonly string[];
  readonly lifetimeSeconds?: number;
  readonly isResourceServer?: boolean;
};

export async function newProgram(authority: Authority, name = 'Acme Payments'): Promise<string> {
  const printed = await authority.cli('program', 'create', name);
  return String(printed['program_id']);
}

export async function newClient(
  authority: Authority,
  program: string,
  options: ClientOptions = {},
): Promise<Client> {
  const { environment = 'sandbox', scope, resources = [], lifetimeSeconds } = options;
  const printed = await authority.cli(
    ...['client', 'create', '--program', program, '--environment', environment],
    ...['--name', options.isResourceServer ? 'bank api' : 'partner back end'],
    ...(scope === undefined ? [] : ['--scope', scope]),
    ...resources.flatMap((uri) => ['--resource', uri]),
    ...(lifetimeSeconds === undefined ? [] : ['--token-lifetime', String(lifetimeSeconds)]),
    ...(options.isResourceServer ? ['--resource-server'] : []),
  );
  return printed as Client;
}

export async function declareScopes(authority: Authority, names: readonly string[]): Promise<void> {
  await declare(authority, 'scope', names);
}

export async function declareResources(
  authority: Authority,
  uris: readonly string[],
): Promise<void> {
  await declare(authority, 'resource', uris);
}

/** In the sandbox, all at once: each is a process of its own. */
async function declare(
  authority: Authority,
  what: 'scope' | 'resource',
  names: readonly string[],
): Promise<void> {
  const at = ['--environment', 'sandbox'];
  await Promise.all(names.map((name) => authority.cli(what, 'create', name, ...at)));
}

/** The two fields that a client authenticates with. */
export function credentialsOf(client: Client): { client_id: string; client_secret: string } {
  return { client_id: client.client_id, client_secret: client.client_secret };
}

/** The fields of a token request. */
export function grantOf(client: Client): Record<string, string> {
  return { ...credentialsOf(client), grant_type: 'client_credentials' };
}

/** Asks for a token with these fields beside the client's own. */
export function askToken(
  client: Client,
  fields: Readonly<Record<string, string>> = {},
  sending: Sending = {},
): Promise<Reply> {
  return post(client.token_endpoint, { ...grantOf(client), ...fields }, sending);
}

/** An access token of the client; fails when none is granted. */
export async function tokenOf(
  client: Client,
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  const reply = await askToken(client, fields);
  assert.equal(reply.status, 200, reply.body);
  return String(reply.json()['access_token']);
}

/** Asks, as this caller, what a token is worth in the caller's environment. */
export function introspect(caller: Client, token: string, sending: Sending = {}): Promise<Reply> {
  const url = caller.token_endpoint.replace(/\/token$/, '/introspect');
  return post(url, { ...credentialsOf(caller), token }, sending);
}

/** Whether the authority tells this caller that the token is active; fails when it does not say. */
export async function isActive(caller: Client, token: string): Promise<boolean> {
  const reply = await introspect(caller, token);
  assert.equal(reply.status, 200, reply.body);
  const { active } = reply.json();
  assert.equal(typeof active, 'boolean', reply.body);
  if (active === false) assert.equal(reply.body, '{"active":false}', 'nothing else is told');
  return active === true;
}

/** Asks, as this caller, that a token be revoked. */
export function revoke(caller: Client, token: string, sending: Sending = {}): Promise<Reply> {
  const url = caller.token_endpoint.replace(/\/token$/, '/revoke');
  return post(url, { ...credentialsOf(caller), token }, sending);
}
