/** Adds a secret to a client, beside the one it has. */

import type { Secret } from '../credentials/secret-value.ts';
import { commitAndAwait, type Done, environmentNamed, type OperationContext } from './context.ts';
import { requireFuture } from './input.ts';
import { requireClient } from './read-directory.ts';
import { makeSecret } from './secret-material.ts';

export type CreatedSecret = Done & {
  readonly clientId: string;
  /** Handed out here and never again. */
  readonly clientSecret: Secret;
  readonly secretId: string;
  readonly expiresAtMs?: number;
};

/** Creates a secret. Throws `ChangeRefused`, also when as many are live as may be. */
export async function createSecret(
  context: OperationContext,
  input: { readonly clientId: string; readonly expiresAtMs?: number | undefined },
): Promise<CreatedSecret> {
  const { expiresAtMs } = input;
  if (expiresAtMs !== undefined) requireFuture('--expires', expiresAtMs, context.clock.wallMs());
  const client = await requireClient(context, input.clientId);
  const environment = await environmentNamed(context, client.environment);
  const { clientSecret, stored } = makeSecret(context, environment, expiresAtMs);
  const { clientId } = client;
  const done = await commitAndAwait(context, { kind: 'secret.create', clientId, secret: stored });
  return {
    clientId,
    clientSecret,
    secretId: stored.secretId,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...done,
  };
}
