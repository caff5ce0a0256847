/** Secrets by their keyed hash, whoever's they are. */

import type { FoundSecret } from '../../ports/leaks.ts';
import { all, db, type Steps } from './schema.ts';

/** The secrets that have one of these hashes; dead ones too. */
export function* secretsByMac(
  macs: readonly Uint8Array[],
  atMs: number,
): Steps<readonly FoundSecret[]> {
  if (macs.length === 0) return [];
  const rows = yield* all(
    db
      .selectFrom('secrets')
      .innerJoin('clients', 'clients.ordinal', 'secrets.client')
      .select([
        'secrets.ordinal',
        'secrets.secret_id',
        'secrets.mac',
        'secrets.client',
        'secrets.expires_at_ms',
        'secrets.revoked_at_ms',
        'secrets.exposed_at_ms',
        'clients.client_id',
        'clients.state',
      ])
      .where('secrets.mac', 'in', macs as Uint8Array[]),
  );
  return rows.map((row) => ({
    ordinal: row.ordinal,
    secretId: row.secret_id,
    mac: row.mac,
    client: row.client,
    clientId: row.client_id,
    isLive:
      row.state !== 'deleted' &&
      row.revoked_at_ms === null &&
      (row.expires_at_ms === null || row.expires_at_ms > atMs),
    isExposed: row.exposed_at_ms !== null,
  }));
}
