/** What a secret is worth at a moment, in words: the same for every door that shows one. */

import type { SecretRecord } from '../ports/model.ts';

export function secretState(secret: SecretRecord, nowMs: number): string {
  if (secret.revokedAtMs !== undefined) return 'revoked';
  if (secret.expiresAtMs !== undefined && secret.expiresAtMs <= nowMs) return 'expired';
  return secret.exposedAtMs === undefined ? 'live' : 'live, exposed';
}

/** Whether somebody has not changed over yet: a use after a secret came that outlives this one. */
export function isStillUsed(
  secret: SecretRecord,
  secrets: readonly SecretRecord[],
  nowMs: number,
): boolean {
  const { ordinal, expiresAtMs, lastUsedAtMs } = secret;
  if (expiresAtMs === undefined || !isLive(secret, nowMs)) return false;
  const successor = secrets.find(
    (other) =>
      other.ordinal > ordinal &&
      isLive(other, nowMs) &&
      (other.expiresAtMs ?? Number.POSITIVE_INFINITY) > expiresAtMs,
  );
  return successor !== undefined && (lastUsedAtMs ?? 0) > successor.createdAtMs;
}

function isLive({ revokedAtMs, expiresAtMs }: SecretRecord, nowMs: number): boolean {
  return revokedAtMs === undefined && (expiresAtMs === undefined || expiresAtMs > nowMs);
}
