/** Moves the end of a secret: extends, cuts short or cancels the overlap of a rotation, or gives a secret its first end. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { invalid, requireSecretId } from './input.ts';

/**
 * Gives a secret that has not ended another end; `undefined`: none. Throws `ChangeRefused`, also for a moment that has passed: an end at
 * once is a revocation, which no node's clock takes part in.
 */
export async function expireSecret(
  context: OperationContext,
  input: { readonly secretId: string; readonly expiresAtMs: number | undefined },
): Promise<Done> {
  const secretId = requireSecretId(input.secretId);
  const { expiresAtMs } = input;
  if (expiresAtMs !== undefined && expiresAtMs <= context.clock.wallMs()) {
    throw invalid(
      `--at must lie in the future; to end the secret at once: countersign secret revoke ${secretId}`,
    );
  }
  return await commitAndAwait(context, { kind: 'secret.expire', secretId, expiresAtMs });
}
