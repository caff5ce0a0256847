/** Reads of the change log and of what a replica holds. Each runs in one snapshot of the store. */

import type { RootOperationNode } from 'kysely';
import type { ChangeLog, Fact, LoggedChange, Poll } from '../../ports/change-log.ts';
import type { Position } from '../../ports/model.ts';
import { tokenQuotaOf } from './changes/client-row.ts';
import { clientFact } from './changes/clients.ts';
import { policyFact } from './changes/policies.ts';
import { programFact } from './changes/programs.ts';
import { secretFact } from './changes/secrets.ts';
import { all, type Built, db, first, type Steps } from './schema.ts';

/** Changes handed over at a time, so that a node far behind does not stall its event loop. */
const CHANGES_PER_POLL_MAX = 500;
/** Of these at most two are live; the others only let a refusal say why. */
const SECRETS_PER_CLIENT_MAX = 8;

const UNINITIALISED = 'the store has no head row: it was never initialised';

export function* positionOfStore(): Steps<Position> {
  const row = yield* first(
    db.selectFrom('store').select(['incarnation', 'sequence', 'change_id']).where('id', '=', 1),
  );
  if (row === undefined) throw new Error(UNINITIALISED);
  return {
    incarnation: row.incarnation,
    sequence: row.sequence,
    changeId: row.change_id,
  };
}

export function* pollChanges(after: number): Steps<Poll> {
  // One query while there is nothing new: every node asks this ten times a second.
  const position = yield* first(
    db
      .selectFrom('store')
      .leftJoin('changes', (join) => join.on('changes.sequence', '=', after))
      .select(['store.incarnation', 'store.sequence', 'changes.change_id as known'])
      .where('store.id', '=', 1),
  );
  if (position === undefined) throw new Error(UNINITIALISED);
  const rows =
    position.sequence <= after
      ? []
      : yield* all(
          db
            .selectFrom('changes')
            .select(['sequence', 'change_id', 'facts'])
            .where('sequence', '>', after)
            .orderBy('sequence')
            .limit(CHANGES_PER_POLL_MAX),
        );
  return {
    incarnation: position.incarnation,
    changeIdAtAfter: after === 0 ? '' : (position.known ?? undefined),
    head: position.sequence,
    changes: rows.map(
      (row): LoggedChange => ({
        sequence: row.sequence,
        changeId: row.change_id,
        facts: JSON.parse(row.facts) as readonly Fact[],
      }),
    ),
  };
}

export function* loadClientCredentials(
  ordinal: number,
): Steps<Awaited<ReturnType<ChangeLog['loadClient']>>> {
  const { incarnation, sequence: head, changeId } = yield* positionOfStore();
  const client = yield* first(
    db
      .selectFrom('clients')
      .innerJoin('programs', 'programs.ordinal', 'clients.program')
      .select([
        'clients.ordinal',
        'clients.client_id',
        'clients.scope',
        'clients.resources',
        'clients.allow_ip',
        'clients.token_lifetime_s',
        'clients.resource_server',
        'clients.verify_address',
        'clients.token_quota',
        'clients.quota_enforced',
        'programs.program_id',
      ])
      .where('clients.ordinal', '=', ordinal),
  );
  if (client === undefined) return { incarnation, head, changeId, client: undefined };
  const secrets = yield* all(
    db
      .selectFrom('secrets')
      .select(['ordinal', 'secret_id', 'mac', 'pepper_version', 'expires_at_ms', 'revoked_at_ms'])
      .where('client', '=', ordinal)
      .orderBy((of) => of('revoked_at_ms', 'is not', null))
      .orderBy('ordinal', 'desc')
      .limit(SECRETS_PER_CLIENT_MAX),
  );
  return {
    incarnation,
    head,
    changeId,
    client: {
      ordinal: client.ordinal,
      clientId: client.client_id,
      programId: client.program_id,
      scope: client.scope === '' ? [] : client.scope.split(' '),
      resources: JSON.parse(client.resources) as number[],
      allowIp: JSON.parse(client.allow_ip) as string[],
      verifyAddress: client.verify_address === 1,
      ...tokenQuotaOf(client),
      tokenLifetimeSeconds: client.token_lifetime_s,
      resourceServer: client.resource_server === 1,
      // By pepper, so that whoever compares hashes once for each, however many are live.
      secrets: byPepper(secrets).map((row) => ({
        ordinal: row.ordinal,
        secretId: row.secret_id,
        mac: row.mac,
        pepperVersion: row.pepper_version,
        ...(row.expires_at_ms === null ? {} : { expiresAtMs: row.expires_at_ms }),
        revoked: row.revoked_at_ms !== null,
      })),
    },
  };
}

function byPepper<Row extends { readonly pepper_version: number }>(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => b.pepper_version - a.pepper_version);
}

/** The queries of a snapshot, each with the fact that one of its rows is. Rows are streamed: a store may hold a million clients. */
export const SNAPSHOT_PARTS = [
  part(db.selectFrom('environments').selectAll(), (row) => ({ is: 'environment', ...row })),
  part(
    db
      .selectFrom('keys')
      .select(['purpose', 'environment', 'version', 'wrapped'])
      .where('retired_at_ms', 'is', null),
    (row) => ({ is: 'key', ...row }),
  ),
  part(db.selectFrom('scopes').selectAll(), (row) => ({ is: 'scope', ...row })),
  part(db.selectFrom('scope_sets').select(['environment', 'id', 'scope']), (row) => ({
    is: 'scope-set',
    ...row,
  })),
  part(db.selectFrom('resources').selectAll(), (row) => ({ is: 'resource', ...row })),
  part(
    db.selectFrom('programs').select(['ordinal', 'program_id', 'generation', 'suspended']),
    programFact,
  ),
  part(
    db
      .selectFrom('clients')
      .select([
        'ordinal',
        'client_id',
        'program',
        'environment',
        'generation',
        'state',
        'resource_server',
        'verify_address',
      ]),
    clientFact,
  ),
  part(
    db
      .selectFrom('secrets')
      .select(['ordinal', 'client', 'killed'])
      .where((of) =>
        of.or([
          of('killed', '=', 1),
          // The newest one tells how far the ordinals have come.
          of(
            'ordinal',
            '=',
            of.selectFrom('secrets').select((max) => max.fn.max('ordinal').as('n')),
          ),
        ]),
      ),
    secretFact,
  ),
  part(db.selectFrom('policies').select(['name', 'value']), policyFact),
  part(db.selectFrom('revoked_tokens').select(['jti', 'client']), (row) => ({
    is: 'revoked-token',
    ...row,
  })),
] as const;

/** The first facts of a snapshot: the environments, then their root keys. */
export function* keyFacts(): Steps<readonly Fact[]> {
  const facts: Fact[] = [];
  for (const { query, factOf } of SNAPSHOT_PARTS.slice(0, 2)) {
    const rows = yield { node: query, locks: false };
    for (const row of rows) facts.push(factOf(row));
  }
  return facts;
}

type SnapshotPart = {
  readonly query: RootOperationNode;
  readonly factOf: (row: unknown) => Fact;
};

function part<Row>(query: Built<Row>, factOf: (row: Row) => Fact): SnapshotPart {
  return { query: query.toOperationNode(), factOf: factOf as (row: unknown) => Fact };
}
