/** The tables as Kysely sees them, and the builder of the queries; each store's executor compiles and runs them. */

import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type RootOperationNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

export type Tables = {
  store: {
    id: number;
    incarnation: string;
    master_key_check: string;
    sequence: number;
    change_id: string;
    audit_sequence: number;
    audit_hash: string;
    audit_at_ms: number;
    created_at_ms: number;
  };
  environments: {
    ordinal: number;
    name: string;
    tag: string;
    issuer: string;
    generation: number;
  };
  programs: {
    ordinal: number;
    program_id: string;
    name: string;
    generation: number;
    suspended: number;
    suspended_reason: string | null;
    suspended_at_ms: number | null;
    created_at_ms: number;
  };
  clients: {
    ordinal: number;
    client_id: string;
    program: number;
    environment: number;
    name: string;
    generation: number;
    state: 'active' | 'suspended' | 'deleted';
    suspended_reason: string | null;
    scope: string;
    resources: string;
    allow_ip: string;
    token_lifetime_s: number;
    resource_server: number;
    created_at_ms: number;
    verify_address: number;
    token_quota: number | null;
    quota_enforced: number;
    dormant_at_ms: number | null;
  };
  quota_uses: { client: number; hour: number; node: string; tokens: number };
  secrets: {
    ordinal: number;
    secret_id: string;
    client: number;
    mac: Uint8Array;
    pepper_version: number;
    hint: string;
    created_at_ms: number;
    created_by: string;
    expires_at_ms: number | null;
    revoked_at_ms: number | null;
    killed: number;
    forget_at_ms: number;
    exposed_at_ms: number | null;
    name: string | null;
    /** Days before its end for which that was announced last. */
    notified_days: number | null;
  };
  refusals: {
    hour: number;
    environment: number;
    client: number;
    secret: number;
    reason: string;
    address: string;
    count: number;
    first_at_ms: number;
    last_at_ms: number;
  };
  claims: {
    claim_id: string;
    client: number;
    purpose: 'create' | 'rotate';
    code_mac: Uint8Array;
    passphrase_mac: Uint8Array | null;
    key_version: number;
    secret_name: string | null;
    secret_expires_at_ms: number | null;
    overlap_ms: number;
    created_at_ms: number;
    created_by: string;
    expires_at_ms: number;
    failures: number;
    used_at_ms: number | null;
    used_from: string | null;
    secret: number | null;
    stopped_at_ms: number | null;
    revoked_at_ms: number | null;
  };
  secret_uses: { secret: number; at_ms: number; address: string };
  scopes: { environment: number; number: number; name: string };
  scope_sets: { environment: number; id: number; scope: string; client: number };
  resources: { environment: number; number: number; uri: string };
  revoked_tokens: { jti: string; client: number; forget_at_ms: number };
  keys: {
    purpose: 'token' | 'secret';
    environment: number;
    version: number;
    wrapped: string;
    created_at_ms: number;
    retired_at_ms: number | null;
  };
  changes: {
    sequence: number;
    change_id: string;
    kind: string;
    target: string;
    facts: string;
    at_ms: number;
  };
  audit: {
    sequence: number;
    change: number | null;
    action: string;
    line: string;
    hash: string;
  };
  duties: {
    duty: string;
    every_ms: number;
    holder: string;
    started_at_ms: number;
    free_at_ms: number;
    ended_at_ms: number | null;
    failures: number;
    problem: string | null;
  };
  webhooks: {
    webhook_id: string;
    target: string;
    sends: 'audit' | 'notices';
    program_id: string | null;
    wrapped: string | null;
    line: number;
    checkpoint_line: number;
    disabled: number;
    created_at_ms: number;
    created_by: string;
    delivered_at_ms: number | null;
    failures: number;
    next_try_at_ms: number;
    problem: string | null;
  };
  signing_keys: { key_id: string; public_key: string; wrapped: string; created_at_ms: number };
  checkpoints: {
    sequence: number;
    hash: string;
    at_ms: number;
    incarnation: string;
    key_id: string;
    signature: string;
  };
  suspensions: {
    ordinal: number;
    program: number | null;
    client: number | null;
    reason: string;
    opened_at_ms: number;
    opened_by: string;
    until_ms: number | null;
    bulk: number;
    approval_id: string | null;
    closed_at_ms: number | null;
    closed_by: string | null;
  };
  approvals: {
    approval_id: string;
    asked_at_ms: number;
    asked_by: string;
    expires_at_ms: number;
    change: string;
    kind: string;
    target: string;
    reason: string | null;
    state: 'pending' | 'granted' | 'refused';
    decided_at_ms: number | null;
    decided_by: string | null;
  };
  policies: { name: string; value: string; set_at_ms: number; set_by: string };
  idempotency: {
    caller: string;
    key: string;
    request: string;
    kind: string;
    target: string;
    made: string;
    created_at_ms: number;
  };
  nodes: {
    node: string;
    lease_ms: number;
    renewals: number;
    applied_sequence: number;
    started_at_ms: number;
    renewed_at_ms: number;
    version: string;
    listen: string;
    process: string;
    schema: number;
  };
};

export const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (self) => new SqliteIntrospector(self),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** One query, in no dialect yet. */
export type Query = {
  readonly node: RootOperationNode;
  /** Keeps the rows it finds from other writers until the end of the transaction. SQLite has one writer anyway. */
  readonly locks: boolean;
};

/**
 * A transaction or a read, written once as the queries it needs: an executor runs them, synchronously on SQLite,
 * over the network on PostgreSQL. Its return value is the answer.
 */
export type Steps<T> = Generator<Query, T, readonly unknown[]>;

/** What Kysely builds, with the type of its rows. */
export type Built<Row> = {
  compile(): CompiledQuery<Row>;
  toOperationNode(): RootOperationNode;
};

/** All rows of a query. */
export function* all<Row>(query: Built<Row>): Steps<readonly Row[]> {
  return (yield asking(query)) as readonly Row[];
}

/** The first row of a query. */
export function* first<Row>(query: Built<Row>): Steps<Row | undefined> {
  return ((yield asking(query)) as readonly Row[])[0];
}

/** The first row, kept from other writers: for whoever decides by what stands in it and then writes. */
export function* firstLocked<Row>(query: Built<Row>): Steps<Row | undefined> {
  return ((yield { node: query.toOperationNode(), locks: true }) as readonly Row[])[0];
}

/** All rows, kept from other writers. */
export function* allLocked<Row>(query: Built<Row>): Steps<readonly Row[]> {
  return (yield { node: query.toOperationNode(), locks: true }) as readonly Row[];
}

/** Runs a statement whose rows nobody needs. */
export function* run(query: Built<unknown>): Steps<void> {
  yield asking(query);
}

function asking(query: Built<unknown>): Query {
  return { node: query.toOperationNode(), locks: false };
}
