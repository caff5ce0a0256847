/** Root keys and what is hashed under them, as rows: which there are, who needs them, and a secret's way to a newer one. */

import type { KeyPurpose, KeyRecord } from '../../ports/model.ts';
import type { SecretMove } from '../../ports/secret-upkeep.ts';
import { all, db, firstLocked, type Steps } from './schema.ts';

/** A key that is not retired. */
export function heldKey(purpose: KeyPurpose, version: number) {
  return db
    .selectFrom('keys')
    .select('version')
    .where('purpose', '=', purpose)
    .where('version', '=', version)
    .where('retired_at_ms', 'is', null);
}

/** Secrets that may authenticate now or, their client being suspended, once more later. */
export function liveSecrets(atMs: number) {
  return db
    .selectFrom('secrets')
    .innerJoin('clients', 'clients.ordinal', 'secrets.client')
    .where('clients.state', '!=', 'deleted')
    .where('secrets.revoked_at_ms', 'is', null)
    .where((of) =>
      of.or([of('secrets.expires_at_ms', 'is', null), of('secrets.expires_at_ms', '>', atMs)]),
    );
}

/** Every root key, by environment, purpose and version. */
export function* keys(atMs: number): Steps<readonly KeyRecord[]> {
  const counts = yield* all(
    liveSecrets(atMs)
      .select(['clients.environment', 'secrets.pepper_version'])
      .select((of) => of.fn.countAll<number>().as('count'))
      .groupBy(['clients.environment', 'secrets.pepper_version']),
  );
  const needed = new Map(
    counts.map((row) => [`${row.environment}/${row.pepper_version}`, row.count]),
  );
  const rows = yield* all(
    db
      .selectFrom('keys')
      .innerJoin('environments', 'environments.ordinal', 'keys.environment')
      .selectAll('keys')
      .select('environments.name')
      .orderBy('keys.environment')
      .orderBy('keys.purpose', 'desc')
      .orderBy('keys.version'),
  );
  return rows.map((row) => ({
    purpose: row.purpose,
    environment: row.name,
    version: row.version,
    wrapped: row.wrapped,
    createdAtMs: row.created_at_ms,
    ...(row.retired_at_ms === null ? {} : { retiredAtMs: row.retired_at_ms }),
    liveSecrets:
      row.purpose === 'secret' ? (needed.get(`${row.environment}/${row.version}`) ?? 0) : 0,
  }));
}

/**
 * Puts one secret's hash under a newer pepper and touches nothing else: two columns of one row, if they still hold what was
 * compared with. The pepper is kept from being retired meanwhile, so that no secret ends up under one that is gone.
 */
export function* moveSecret({ environment, secret, from, to }: SecretMove): Steps<boolean> {
  const pepper = yield* firstLocked(
    heldKey('secret', to.pepperVersion).where('environment', '=', environment),
  );
  if (pepper === undefined) return false;
  const moved = yield* all(
    db
      .updateTable('secrets')
      .set({ mac: to.mac, pepper_version: to.pepperVersion })
      .where('ordinal', '=', secret)
      .where('pepper_version', '=', from.pepperVersion)
      .where('mac', '=', from.mac)
      .returning('ordinal'),
  );
  return moved.length === 1;
}
