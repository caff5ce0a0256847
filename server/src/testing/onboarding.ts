/** Onboards programs and clients on a real store, as an operator would, for tests of what comes after. */

import { newClientId, newProgramId, newSecret, newSecretId } from '../credentials/identifiers.ts';
import { macOfSecret } from '../credentials/secret-hash.ts';
import { commitAndAwait, type OperationContext } from '../operations/context.ts';
import { openForOperator } from '../operator.ts';
import type { Change } from '../ports/store.ts';
import { configOf } from './data.ts';

export type Onboarded = {
  readonly programId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secretId: string;
};

/** Runs `body` as an operator on the data directory, or on the database that `env` names, beside whatever server runs there. */
export async function asOperator<T>(
  data: string,
  body: (context: OperationContext) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const { context, close } = await openForOperator(configOf(data, env), 'test:operator');
  try {
    return await body(context);
  } finally {
    await close();
  }
}

/** A program with one sandbox client. */
export async function onboard(
  context: OperationContext,
  client: Partial<Extract<Change, { kind: 'client.create' }>> = {},
): Promise<Onboarded> {
  const { randomness } = context;
  const programId = newProgramId(randomness);
  await commitAndAwait(context, { kind: 'program.create', programId, name: 'Test program' });
  const secret = newSecret(randomness, 'test');
  const { version, pepper } = context.keyRing.newestPepper(1);
  const clientId = newClientId(randomness, 'test');
  const secretId = newSecretId(randomness);
  await commitAndAwait(context, {
    kind: 'client.create',
    clientId,
    programId,
    environment: 'sandbox',
    name: 'Test server',
    scope: [],
    resources: [],
    allowIp: [],
    tokenLifetimeSeconds: 3600,
    resourceServer: false,
    ...client,
    secret: {
      secretId,
      mac: macOfSecret(pepper, secret.reveal()),
      pepperVersion: version,
      hint: secret.reveal().slice(-4),
    },
  });
  return { programId, clientId, clientSecret: secret.reveal(), secretId };
}

export async function requestToken(url: string, client: Onboarded): Promise<string | undefined> {
  const answer = await post(`${url}/sandbox/token`, {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    grant_type: 'client_credentials',
  });
  if (answer.status !== 200) return undefined;
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** What a node says of a token at this moment: alive, dead, or that it cannot tell (any 5xx). */
export async function introspect(
  url: string,
  client: Onboarded,
  token: string,
): Promise<'active' | 'inactive' | 'unavailable'> {
  const answer = await post(`${url}/sandbox/introspect`, {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    token,
  });
  if (answer.status >= 500) return 'unavailable';
  const { active } = (await answer.json()) as { active?: boolean };
  return active === true ? 'active' : 'inactive';
}

export function post(url: string, form: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(form) });
}
