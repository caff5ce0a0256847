/** Clients and secrets as rows, for the commands that list them. */

import { isStillUsed, secretState } from '../../operations/secret-state.ts';
import type { ClientRecord, SecretRecord } from '../../ports/model.ts';
import { durationText, list, timeText } from '../text.ts';

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

/** The secrets of a client, and a line for each that is still used though it has a successor and ends. */
export function secretTable(secrets: readonly SecretRecord[], nowMs: number): string {
  const stillUsed = secrets.flatMap((secret) => {
    const { secretId, expiresAtMs, lastUsedAtMs, lastUsedFrom } = secret;
    if (!isStillUsed(secret, secrets, nowMs)) return [];
    const left = durationText((expiresAtMs ?? 0) - nowMs);
    const used = `${lastUsedFrom} at ${timeText(lastUsedAtMs)}`;
    return [`${secretId} has a successor and is still used by ${used}; it ends in ${left}.\n`];
  });
  return `${secretRows(secrets, nowMs)}${stillUsed.join('')}`;
}

function secretRows(secrets: readonly SecretRecord[], nowMs: number): string {
  return list(
    ['SECRET', 'NAME', 'ENDS IN', 'STATE', 'CREATED', 'EXPIRES', 'LAST USED', 'FROM', 'BY'],
    secrets.map((secret) => [
      secret.secretId,
      secret.name ?? '-',
      `…${secret.hint}`,
      secretState(secret, nowMs),
      timeText(secret.createdAtMs) ?? '',
      timeText(secret.expiresAtMs) ?? 'never',
      timeText(secret.lastUsedAtMs) ?? 'never',
      secret.lastUsedFrom ?? '-',
      secret.createdBy,
    ]),
    'There is no secret.',
  );
}
