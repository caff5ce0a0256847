/** Clients and secrets as rows, for the commands that list them. */

import type { ClientRecord, SecretRecord } from '../../ports/model.ts';
import { list, timeText } from '../text.ts';

export function clientTable(clients: readonly ClientRecord[]): string {
  return list(
    ['CLIENT', 'ENVIRONMENT', 'STATE', 'PROGRAM', 'SCOPE', 'NAME'],
    clients.map((client) => [
      client.clientId,
      client.environment,
      client.state,
      client.programId,
      client.scope.join(' ') || '-',
      client.name,
    ]),
    'There is no client yet; countersign client create --help tells how to make one.',
  );
}

export function secretTable(secrets: readonly SecretRecord[], nowMs: number): string {
  return list(
    ['SECRET', 'ENDS IN', 'STATE', 'CREATED', 'EXPIRES', 'BY'],
    secrets.map((secret) => [
      secret.secretId,
      `…${secret.hint}`,
      secretState(secret, nowMs),
      timeText(secret.createdAtMs) ?? '',
      timeText(secret.expiresAtMs) ?? 'never',
      secret.createdBy,
    ]),
    'There is no secret.',
  );
}

export function secretState(secret: SecretRecord, nowMs: number): string {
  if (secret.revokedAtMs !== undefined) return 'revoked';
  if (secret.expiresAtMs !== undefined && secret.expiresAtMs <= nowMs) return 'expired';
  return secret.exposedAtMs === undefined ? 'live' : 'live, exposed';
}
