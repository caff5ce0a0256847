/** Replaces the secrets of a client: a new one at once, the old ones good for an overlap. */

import { commitAndAwait, environmentNamed, type OperationContext } from './context.ts';
import type { CreatedSecret } from './create-secret.ts';
import { invalid, optionalName, requireFuture } from './input.ts';
import { requireClient } from './read-directory.ts';
import { makeSecret } from './secret-material.ts';

/** How long the earlier secrets stay good when nobody says otherwise. */
export const OVERLAP_MS = 24 * 60 * 60 * 1000;

export type RotatedSecret = CreatedSecret & {
  /** When the secrets before it end, those that do not end sooner. */
  readonly othersExpireAtMs: number;
};

/** Rotates a client's secret. Throws `ChangeRefused`, also while another rotation is under way. */
export async function rotateSecret(
  context: OperationContext,
  input: {
    readonly clientId: string;
    /** What the new one is for people. */
    readonly name?: string | undefined;
    readonly overlapMs?: number | undefined;
    readonly expiresAtMs?: number | undefined;
  },
): Promise<RotatedSecret> {
  const { expiresAtMs, overlapMs = OVERLAP_MS } = input;
  const name = optionalName(input.name);
  const nowMs = context.clock.wallMs();
  if (!(overlapMs >= 0)) throw invalid('--overlap must not be negative');
  if (expiresAtMs !== undefined) requireFuture('--expires', expiresAtMs, nowMs);
  const client = await requireClient(context, input.clientId);
  const environment = await environmentNamed(context, client.environment);
  const { clientSecret, stored } = makeSecret(context, environment, { name, expiresAtMs });
  const { clientId } = client;
  const othersExpireAtMs = nowMs + overlapMs;
  const done = await commitAndAwait(context, {
    kind: 'secret.rotate',
    clientId,
    secret: stored,
    othersExpireAtMs,
  });
  return {
    clientId,
    clientSecret,
    secretId: stored.secretId,
    ...(name === undefined ? {} : { name }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    othersExpireAtMs,
    ...done,
  };
}
