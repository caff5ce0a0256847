/** Reads for people: what there is, by name, without a secret in it. */

import { type InferResult, sql } from 'kysely';
import type { AuditHead } from '../../ports/audit-trail.ts';
import type { ClientFilter, ProgramFilter } from '../../ports/directory.ts';
import {
  type AuditLine,
  type ClientRecord,
  type EnvironmentRecord,
  type ExpiringSecret,
  OPERATORS,
  type ProgramRecord,
  type SecretRecord,
} from '../../ports/model.ts';
import type { PolicyRecord } from '../../ports/policies.ts';
import type { AuditEntry } from './append.ts';
import { tokenQuotaOf } from './changes/client-row.ts';
import { all, db, first, type Steps } from './schema.ts';

export function* environments(): Steps<readonly EnvironmentRecord[]> {
  return yield* all(db.selectFrom('environments').selectAll().orderBy('ordinal'));
}

export function* programs(filter: ProgramFilter = {}): Steps<readonly ProgramRecord[]> {
  const { programId, state, nameContains, after, limit } = filter;
  let query = db.selectFrom('programs').selectAll().orderBy('ordinal');
  if (programId === undefined) query = query.where('program_id', '!=', OPERATORS.programId);
  else query = query.where('program_id', '=', programId);
  if (state !== undefined) query = query.where('suspended', '=', state === 'suspended' ? 1 : 0);
  if (nameContains !== undefined) query = query.where(containing('programs.name', nameContains));
  if (after !== undefined) query = query.where('ordinal', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  return (yield* all(query)).map((row) => ({
    ordinal: row.ordinal,
    programId: row.program_id,
    name: row.name,
    generation: row.generation,
    suspended: row.suspended === 1,
    ...present('suspendedReason', row.suspended_reason),
    ...present('suspendedAtMs', row.suspended_at_ms),
    createdAtMs: row.created_at_ms,
  }));
}

/** Clients that meet the conditions, whatever is read of them. */
function matchingClients(filter: ClientFilter) {
  const { clientId, programId, environment, state, nameContains, createdBeforeMs } = filter;
  let query = db
    .selectFrom('clients')
    .innerJoin('programs', 'programs.ordinal', 'clients.program')
    .innerJoin('environments', 'environments.ordinal', 'clients.environment');
  if (clientId !== undefined) query = query.where('client_id', '=', clientId);
  if (programId !== undefined) query = query.where('program_id', '=', programId);
  if (environment !== undefined) query = query.where('environments.name', '=', environment);
  else if (clientId === undefined) {
    query = query.where('environments.name', '!=', OPERATORS.environment);
  }
  if (state === 'present') query = query.where('clients.state', '!=', 'deleted');
  else if (state !== undefined) query = query.where('clients.state', '=', state);
  if (nameContains !== undefined) query = query.where(containing('clients.name', nameContains));
  if (createdBeforeMs !== undefined) {
    query = query.where('clients.created_at_ms', '<', createdBeforeMs);
  }
  return query;
}

export function* countClients(filter: ClientFilter): Steps<number> {
  const query = matchingClients(filter).select((of) => of.fn.countAll<number>().as('count'));
  return (yield* first(query))?.count ?? 0;
}

export function* clients(filter: ClientFilter = {}): Steps<readonly ClientRecord[]> {
  const { after, limit } = filter;
  let query = matchingClients(filter)
    .selectAll('clients')
    .select(['programs.program_id', 'environments.name as environment_name'])
    .orderBy('clients.ordinal');
  if (after !== undefined) query = query.where('clients.ordinal', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  const rows = yield* all(query);
  const uris = yield* resourceUris();
  return rows.map((row) => ({
    ordinal: row.ordinal,
    clientId: row.client_id,
    programId: row.program_id,
    environment: row.environment_name,
    name: row.name,
    generation: row.generation,
    state: row.state,
    ...present('suspendedReason', row.suspended_reason),
    scope: row.scope === '' ? [] : row.scope.split(' '),
    resources: (JSON.parse(row.resources) as number[]).map(
      (number) => uris.get(`${row.environment}/${number}`) ?? '',
    ),
    allowIp: JSON.parse(row.allow_ip) as string[],
    verifyAddress: row.verify_address === 1,
    ...tokenQuotaOf(row),
    tokenLifetimeSeconds: row.token_lifetime_s,
    resourceServer: row.resource_server === 1,
    createdAtMs: row.created_at_ms,
  }));
}

/** Whether a name contains a text, whatever the case of its letters; no character of the text means more than itself. */
function containing(column: 'programs.name' | 'clients.name', text: string) {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`lower(${sql.ref(column)}) like lower(${pattern}) escape '\\'`;
}

function* resourceUris(): Steps<ReadonlyMap<string, string>> {
  const rows = yield* all(db.selectFrom('resources').selectAll());
  return new Map(rows.map((row) => [`${row.environment}/${row.number}`, row.uri]));
}

/** Secrets with their client's id and their latest use. */
function secretRows() {
  return db
    .selectFrom('secrets')
    .innerJoin('clients', 'clients.ordinal', 'secrets.client')
    .leftJoin('secret_uses', 'secret_uses.secret', 'secrets.ordinal')
    .select([
      'secrets.ordinal',
      'secrets.secret_id',
      'clients.client_id',
      'secrets.hint',
      'secrets.created_at_ms',
      'secrets.created_by',
      'secrets.expires_at_ms',
      'secrets.revoked_at_ms',
      'secrets.exposed_at_ms',
      'secrets.name',
      'secret_uses.at_ms as last_used_at_ms',
      'secret_uses.address as last_used_from',
    ])
    .orderBy('secrets.ordinal');
}

type SecretRow = InferResult<ReturnType<typeof secretRows>>[number];

export function* secrets(filter: {
  clientId?: string;
  secretId?: string;
}): Steps<readonly SecretRecord[]> {
  let query = secretRows();
  if (filter.clientId !== undefined) query = query.where('client_id', '=', filter.clientId);
  if (filter.secretId !== undefined) query = query.where('secret_id', '=', filter.secretId);
  return (yield* all(query)).map(secretOf);
}

export function* expiringSecrets(page: {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly after: number;
  readonly limit: number;
}): Steps<readonly ExpiringSecret[]> {
  const query = secretRows()
    .select('secrets.notified_days')
    .select((of) =>
      of
        .selectFrom('secrets as other')
        .select((min) => min.fn.min('other.created_at_ms').as('at_ms'))
        .whereRef('other.client', '=', 'secrets.client')
        .whereRef('other.ordinal', '>', 'secrets.ordinal')
        .where('other.revoked_at_ms', 'is', null)
        .where((either) =>
          either.or([
            either('other.expires_at_ms', 'is', null),
            either('other.expires_at_ms', '>', either.ref('secrets.expires_at_ms')),
          ]),
        )
        .as('replaced_at_ms'),
    )
    .where('secrets.expires_at_ms', '>', page.fromMs)
    .where('secrets.expires_at_ms', '<=', page.untilMs)
    .where('secrets.revoked_at_ms', 'is', null)
    .where('clients.state', '!=', 'deleted')
    .where('secrets.ordinal', '>', page.after)
    .limit(page.limit);
  return (yield* all(query)).map((row) => ({
    ...secretOf(row),
    expiresAtMs: row.expires_at_ms as number,
    ...present('replacedAtMs', row.replaced_at_ms),
    ...present('notifiedDays', row.notified_days),
  }));
}

function secretOf(row: SecretRow): SecretRecord {
  return {
    ordinal: row.ordinal,
    secretId: row.secret_id,
    clientId: row.client_id,
    ...present('name', row.name),
    hint: row.hint,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    ...present('expiresAtMs', row.expires_at_ms),
    ...present('revokedAtMs', row.revoked_at_ms),
    ...present('exposedAtMs', row.exposed_at_ms),
    ...present('lastUsedAtMs', row.last_used_at_ms),
    ...present('lastUsedFrom', row.last_used_from),
  };
}

export function* scopes(environment: string): Steps<readonly { number: number; name: string }[]> {
  return yield* all(
    db
      .selectFrom('scopes')
      .innerJoin('environments', 'environments.ordinal', 'scopes.environment')
      .select(['scopes.number', 'scopes.name'])
      .where('environments.name', '=', environment)
      .orderBy('scopes.number'),
  );
}

export function* resources(environment: string): Steps<readonly { number: number; uri: string }[]> {
  return yield* all(
    db
      .selectFrom('resources')
      .innerJoin('environments', 'environments.ordinal', 'resources.environment')
      .select(['resources.number', 'resources.uri'])
      .where('environments.name', '=', environment)
      // No resource, but what a restore keeps numbers out of use with.
      .where('resources.uri', 'not like', '"%')
      .orderBy('resources.number'),
  );
}

export function* policies(): Steps<readonly PolicyRecord[]> {
  const rows = yield* all(db.selectFrom('policies').selectAll().orderBy('name'));
  return rows.map(({ name, value, set_at_ms, set_by }) => ({
    name,
    value,
    setAtMs: set_at_ms,
    setBy: set_by,
  }));
}

/** Audit lines in order, as stored: `line` is the text that the chain covers. */
export function* auditRows(filter: {
  after?: number;
  limit: number;
  change?: number;
  action?: string;
}): Steps<readonly { sequence: number; line: string; hash: string }[]> {
  let query = db
    .selectFrom('audit')
    .select(['sequence', 'line', 'hash'])
    .where('sequence', '>', filter.after ?? 0)
    .orderBy('sequence')
    .limit(filter.limit);
  if (filter.change !== undefined) query = query.where('change', '=', filter.change);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  return yield* all(query);
}

function auditLineOf(row: { sequence: number; line: string; hash: string }): AuditLine {
  const entry = JSON.parse(row.line) as AuditEntry;
  return { sequence: row.sequence, hash: row.hash, ...entry };
}

export function* audit(filter: Parameters<typeof auditRows>[0]): Steps<readonly AuditLine[]> {
  return (yield* auditRows(filter)).map(auditLineOf);
}

/** The lines that stand beside changes about these targets. A receipt stands beside its change as well, and is left out. */
export function* changesAbout(query: {
  targets: readonly string[];
  sinceMs: number;
  untilMs: number;
  limit: number;
}): Steps<readonly AuditLine[]> {
  const rows = yield* all(
    db
      .selectFrom('changes')
      .innerJoin('audit', 'audit.change', 'changes.sequence')
      .select(['audit.sequence', 'audit.line', 'audit.hash'])
      .where('changes.target', 'in', query.targets)
      .where('changes.at_ms', '>=', query.sinceMs)
      .where('changes.at_ms', '<=', query.untilMs)
      .where('audit.action', '!=', 'receipt')
      .orderBy('audit.sequence')
      .limit(query.limit),
  );
  return rows.map(auditLineOf);
}

/** Where the store believes the chain to end; compared with the lines to find a cut tail. */
export function* auditHead(): Steps<AuditHead> {
  const [row] = yield* all(
    db
      .selectFrom('store')
      .select(['audit_sequence as sequence', 'audit_hash as hash', 'incarnation'])
      .where(sql`id`, '=', 1),
  );
  return row ?? { sequence: 0, hash: '', incarnation: '' };
}

/** Fingerprint of the master key that this store was made under; undefined while it is not initialised. */
export function* masterKeyCheck(): Steps<string | undefined> {
  const [row] = yield* all(db.selectFrom('store').select('master_key_check'));
  return row?.master_key_check;
}

function present<Key extends string, Value>(key: Key, value: Value | null): { [K in Key]?: Value } {
  return value === null ? {} : ({ [key]: value } as { [K in Key]: Value });
}
