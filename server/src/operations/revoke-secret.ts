/** Ends one secret at once, and on request every token that it minted. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireSecretId } from './input.ts';

/** Revokes a secret; revoking it again returns the receipt of the revocation. Throws `ChangeRefused`. */
export async function revokeSecret(
  context: OperationContext,
  input: { readonly secretId: string; readonly killTokens: boolean },
): Promise<Done> {
  const secretId = requireSecretId(input.secretId);
  const { killTokens } = input;
  return await commitAndAwait(context, { kind: 'secret.revoke', secretId, killTokens });
}
