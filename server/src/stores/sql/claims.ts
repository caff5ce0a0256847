/** Reads of claims: for people without what proves their possession, and that alone for whoever compares. */

import type { ClaimHashes, ClaimRecord } from '../../ports/claims.ts';
import { all, db, first, type Steps } from './schema.ts';

/** An ended claim is shown for so long; the audit trail tells of it for ever. */
const ENDED_KEPT_MS = 90 * 24 * 60 * 60 * 1000;

export function* claims(
  filter: { claimId?: string; clientId?: string } = {},
): Steps<readonly ClaimRecord[]> {
  let query = db
    .selectFrom('claims')
    .innerJoin('clients', 'clients.ordinal', 'claims.client')
    .innerJoin('programs', 'programs.ordinal', 'clients.program')
    .innerJoin('environments', 'environments.ordinal', 'clients.environment')
    .leftJoin('secrets', 'secrets.ordinal', 'claims.secret')
    .selectAll('claims')
    .select([
      'clients.client_id',
      'clients.name as client_name',
      'clients.state as client_state',
      'programs.suspended',
      'environments.name as environment',
      'secrets.secret_id',
    ])
    .orderBy('claims.created_at_ms')
    .orderBy('claims.claim_id');
  if (filter.claimId !== undefined) query = query.where('claims.claim_id', '=', filter.claimId);
  if (filter.clientId !== undefined) query = query.where('clients.client_id', '=', filter.clientId);
  return (yield* all(query)).map((row) => ({
    claimId: row.claim_id,
    clientId: row.client_id,
    clientName: row.client_name,
    clientState: row.client_state,
    programSuspended: row.suspended === 1,
    environment: row.environment,
    purpose: row.purpose,
    needsPassphrase: row.passphrase_mac !== null,
    failures: row.failures,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at_ms,
    overlapMs: row.overlap_ms,
    ...(row.secret_name === null ? {} : { secretName: row.secret_name }),
    ...(row.secret_expires_at_ms === null ? {} : { secretExpiresAtMs: row.secret_expires_at_ms }),
    ...(row.used_at_ms === null ? {} : { usedAtMs: row.used_at_ms }),
    ...(row.used_from === null ? {} : { usedFrom: row.used_from }),
    ...(row.secret_id === null ? {} : { secretId: row.secret_id }),
    ...(row.stopped_at_ms === null ? {} : { stoppedAtMs: row.stopped_at_ms }),
    ...(row.revoked_at_ms === null ? {} : { revokedAtMs: row.revoked_at_ms }),
  }));
}

export function* claimHashes(claimId: string): Steps<ClaimHashes | undefined> {
  const row = yield* first(
    db
      .selectFrom('claims')
      .select(['code_mac', 'passphrase_mac', 'key_version'])
      .where('claim_id', '=', claimId),
  );
  if (row === undefined) return undefined;
  return {
    codeMac: row.code_mac,
    ...(row.passphrase_mac === null ? {} : { passphraseMac: row.passphrase_mac }),
    keyVersion: row.key_version,
  };
}

/** Claims that ended long ago. */
export function endedClaims(atMs: number) {
  return db.deleteFrom('claims').where('expires_at_ms', '<', atMs - ENDED_KEPT_MS);
}
