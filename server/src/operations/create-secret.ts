/** Adds a secret to a client, beside the one it has. */

import type { Secret } from '../credentials/secret-value.ts';
import { commitAndAwait, type Done, environmentNamed, type OperationContext } from './context.ts';
import { optionalName, requireFuture } from './input.ts';
import { requireClient } from './read-directory.ts';
import { makeSecret } from './secret-material.ts';

export type CreatedSecret = Done & {
  readonly clientId: string;
  /** Handed out here and never again. */
  readonly clientSecret: Secret;
  readonly secretId: string;
  readonly name?: string;
  readonly expiresAtMs?: number;
};

/** Creates a secret. Throws `ChangeRefused`, also when as many are live as may be. */
export async function createSecret(
  context: OperationContext,
  input: {
    readonly clientId: string;
    /** What it is for people, such as where it is used. */
    readonly name?: string | undefined;
    readonly expiresAtMs?: number | undefined;
  },
): Promise<CreatedSecret> {
  const { expiresAtMs } = input;
  const name = optionalName(input.name);
  if (expiresAtMs !== undefined) requireFuture('--expires', expiresAtMs, context.clock.wallMs());
  const client = await requireClient(context, input.clientId);
  const environment = await environmentNamed(context, client.environment);
  const { clientSecret, stored } = makeSecret(context, environment, { name, expiresAtMs });
  const { clientId } = client;
  const done = await commitAndAwait(context, { kind: 'secret.create', clientId, secret: stored });
  return {
    clientId,
    clientSecret,
    secretId: stored.secretId,
    ...(name === undefined ? {} : { name }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...done,
  };
}
