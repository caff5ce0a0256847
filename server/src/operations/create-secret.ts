/** Adds a secret to a client, beside the one it has. */

import type { Secret } from '../credentials/secret-value.ts';
import type { NewSecret } from '../ports/store.ts';
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

export type SecretInput = {
  readonly clientId: string;
  /** What it is for people, such as where it is used. */
  readonly name?: string | undefined;
  readonly expiresAtMs?: number | undefined;
};

/** Creates a secret. Throws `ChangeRefused`, also when as many are live as may be. */
export async function createSecret(
  context: OperationContext,
  input: SecretInput,
): Promise<CreatedSecret> {
  const { stored, made } = await secretForClient(context, input);
  const { clientId } = made;
  const done = await commitAndAwait(context, { kind: 'secret.create', clientId, secret: stored });
  return { ...made, ...done };
}

/** A new secret of a client that there is: what is stored of it, and what is handed out. Throws `ChangeRefused`. */
export async function secretForClient(
  context: OperationContext,
  input: SecretInput,
): Promise<{ readonly stored: NewSecret; readonly made: Omit<CreatedSecret, keyof Done> }> {
  const { expiresAtMs } = input;
  const name = optionalName(input.name);
  if (expiresAtMs !== undefined) requireFuture('--expires', expiresAtMs, context.clock.wallMs());
  const { clientId, ...client } = await requireClient(context, input.clientId);
  const environment = await environmentNamed(context, client.environment);
  const { clientSecret, stored } = makeSecret(context, environment, { name, expiresAtMs });
  return {
    stored,
    made: {
      ...{ clientId, clientSecret, secretId: stored.secretId },
      ...(name === undefined ? {} : { name }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    },
  };
}
