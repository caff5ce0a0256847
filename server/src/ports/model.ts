/** The nouns of the authority, as its stores hand them out. Absent is `undefined`; times are wall-clock milliseconds. */

export type Position = {
  /** Number of the last applied change; 0 before the first. */
  readonly sequence: number;
  /** Random id of that change, '' at 0: tells a reused number from the one we know. */
  readonly changeId: string;
  /** Random id of the store's life: a restore or a lossy failover begins a new one. */
  readonly incarnation: string;
};

export type KeyPurpose = 'token' | 'secret';

/**
 * How long a token key can still open a live token once it is no longer the newest: the longest lifetime of a token (24 h), and
 * an hour for nodes that heard of the newer one late (by a lease at most) and for clocks that lag.
 */
export const TOKEN_KEY_REST_MS = 25 * 60 * 60 * 1000;

/** One version of a root key. */
export type KeyRecord = {
  readonly purpose: KeyPurpose;
  /** Name of the environment it belongs to. */
  readonly environment: string;
  readonly version: number;
  /** The root key, wrapped under the master key. Base64url. */
  readonly wrapped: string;
  readonly createdAtMs: number;
  readonly retiredAtMs?: number;
  /** Live secrets that are hashed under it; 0 for token keys. */
  readonly liveSecrets: number;
};

/**
 * Where operators have their credentials: an environment of their own beside those of partners, and the program of the bank's own
 * people. Both are reserved, and neither is shown among the others.
 */
export const OPERATORS = {
  environment: 'admin',
  tag: 'admn',
  programId: 'program_operators',
  roles: ['admin', 'support', 'auditor', 'partner'],
} as const;
export type Role = (typeof OPERATORS.roles)[number];

export type EnvironmentRecord = {
  readonly ordinal: number;
  readonly name: string;
  /** Stands in every public identifier: `client_test_…`. */
  readonly tag: string;
  /** Base URL without a trailing slash (RFC 8414 §2). */
  readonly issuer: string;
  readonly generation: number;
};

export type ProgramRecord = {
  readonly ordinal: number;
  readonly programId: string;
  readonly name: string;
  readonly generation: number;
  readonly suspended: boolean;
  readonly suspendedReason?: string;
  readonly suspendedAtMs?: number;
  readonly createdAtMs: number;
};

/** A client that nobody has used for long. */
export type DormantClient = {
  readonly ordinal: number;
  readonly clientId: string;
  readonly programId: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** When one of its secrets was last used; absent: never. */
  readonly lastUsedAtMs?: number;
  /** This dormancy is on record already. */
  readonly isReported: boolean;
};

export type DormantPage = {
  readonly found: readonly DormantClient[];
  /** The ordinal after which to go on; undefined: there are no more clients. */
  readonly next: number | undefined;
};

export type ClientState = 'active' | 'suspended' | 'deleted';

/** Tokens that a client may get in an hour of the wall clock. */
export type TokenQuota = {
  readonly perHour: number;
  /** False: what would be refused is only reported. */
  readonly enforced: boolean;
};

export type ClientRecord = {
  readonly ordinal: number;
  readonly clientId: string;
  readonly programId: string;
  readonly environment: string;
  readonly name: string;
  readonly generation: number;
  readonly state: ClientState;
  readonly suspendedReason?: string;
  /** Names of the scopes it may ask for, in canonical order. */
  readonly scope: readonly string[];
  /** URIs of the resources it may ask for (RFC 8707). */
  readonly resources: readonly string[];
  /** CIDR blocks it may call /token from; empty: anywhere. */
  readonly allowIp: readonly string[];
  /** Its tokens are good from those blocks only as well, wherever a resource server says who called. */
  readonly verifyAddress: boolean;
  readonly tokenQuota?: TokenQuota;
  readonly tokenLifetimeSeconds: number;
  readonly resourceServer: boolean;
  readonly createdAtMs: number;
};

export type SecretRecord = {
  readonly ordinal: number;
  readonly secretId: string;
  readonly clientId: string;
  /** What it is for people, such as where it is used. */
  readonly name?: string;
  /** Last four characters of the secret, to tell secrets apart in a list. */
  readonly hint: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs?: number;
  readonly revokedAtMs?: number;
  /** When this secret was seen where it must never stand, such as a URL. */
  readonly exposedAtMs?: number;
  /** Of its latest use that was written down: up to a minute behind. */
  readonly lastUsedAtMs?: number;
  readonly lastUsedFrom?: string;
};

/** A secret whose end is near, with what tells whether anybody still needs to hear of it. */
export type ExpiringSecret = SecretRecord & {
  readonly expiresAtMs: number;
  /** When the client got a secret that lives on after this one. */
  readonly replacedAtMs?: number;
  /** Days before its end for which that was announced last. */
  readonly notifiedDays?: number;
};

/** What `/token` needs of one client: loaded on demand, cached, invalidated by the change log. */
export type ClientCredentials = {
  readonly ordinal: number;
  readonly clientId: string;
  readonly programId: string;
  /** Allowed scopes in canonical order. */
  readonly scope: readonly string[];
  /** Allowed resources by number. */
  readonly resources: readonly number[];
  readonly allowIp: readonly string[];
  readonly verifyAddress: boolean;
  readonly tokenQuota?: TokenQuota;
  readonly tokenLifetimeSeconds: number;
  readonly resourceServer: boolean;
  /** The live ones and the latest that were revoked, so that a refusal can name its cause in the log. */
  readonly secrets: readonly StoredSecret[];
};

export type StoredSecret = {
  readonly ordinal: number;
  readonly secretId: string;
  /** HMAC-SHA-256 of the secret under the pepper of `pepperVersion`, 32 bytes. */
  readonly mac: Uint8Array;
  readonly pepperVersion: number;
  readonly expiresAtMs?: number;
  readonly revoked: boolean;
};

export type AuditLine = {
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  /** Number of the change it stands beside, when the line records one. */
  readonly change?: number;
  readonly detail: Readonly<Record<string, unknown>>;
  /** SHA-256 over the previous line's hash and this line's text, hexadecimal. */
  readonly hash: string;
};
