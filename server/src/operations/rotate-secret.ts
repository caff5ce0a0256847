/** Replaces the secrets of a client: a new one at once, the old ones good for an overlap. */

import { commitAndAwait, type OperationContext } from './context.ts';
import { type CreatedSecret, type SecretInput, secretForClient } from './create-secret.ts';
import { invalid } from './input.ts';

/** How long the earlier secrets stay good when nobody says otherwise. */
export const OVERLAP_MS = 24 * 60 * 60 * 1000;

export type RotatedSecret = CreatedSecret & {
  /** When the secrets before it end, those that do not end sooner. */
  readonly othersExpireAtMs: number;
};

/** Rotates a client's secret. Throws `ChangeRefused`, also while another rotation is under way. */
export async function rotateSecret(
  context: OperationContext,
  input: SecretInput & { readonly overlapMs?: number | undefined },
): Promise<RotatedSecret> {
  const { overlapMs = OVERLAP_MS } = input;
  if (!(overlapMs >= 0)) throw invalid('--overlap must not be negative');
  const othersExpireAtMs = context.clock.wallMs() + overlapMs;
  const { stored, made } = await secretForClient(context, input);
  const { clientId } = made;
  const change = { kind: 'secret.rotate', clientId, secret: stored, othersExpireAtMs } as const;
  return { ...made, othersExpireAtMs, ...(await commitAndAwait(context, change)) };
}
