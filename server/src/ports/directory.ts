/** What people read of the state: by name, and without a secret in it. */

import type { ClaimHashes, ClaimRecord } from './claims.ts';
import type { FoundSecret } from './leaks.ts';
import type {
  AuditLine,
  ClientRecord,
  ClientState,
  DormantPage,
  EnvironmentRecord,
  ExpiringSecret,
  KeyRecord,
  ProgramRecord,
  SecretRecord,
} from './model.ts';
import type { PolicyRecord } from './policies.ts';
import type { RefusalCount, RefusalQuery } from './refusal-counts.ts';
import type { SuspensionDirectory } from './suspensions.ts';

/** A page of a list in the order of creation: what comes after an ordinal. */
type Range = { readonly after?: number | undefined; readonly limit?: number | undefined };

export type ProgramFilter = Range & {
  readonly programId?: string | undefined;
  readonly state?: 'active' | 'suspended' | undefined;
  readonly nameContains?: string | undefined;
};

export type ClientFilter = Range & {
  readonly clientId?: string | undefined;
  readonly programId?: string | undefined;
  readonly environment?: string | undefined;
  /** 'present': all but deleted ones. */
  readonly state?: ClientState | 'present' | undefined;
  readonly nameContains?: string | undefined;
  readonly createdBeforeMs?: number | undefined;
};

/** Reads for people: consistent, never on the path of a token. */
export type Directory = SuspensionDirectory & {
  environments(): Promise<readonly EnvironmentRecord[]>;
  /** The program of operators is found by its id alone. */
  programs(filter?: ProgramFilter): Promise<readonly ProgramRecord[]>;
  /** Operators' clients are found by their id or their environment alone. */
  clients(filter?: ClientFilter): Promise<readonly ClientRecord[]>;
  countClients(filter: ClientFilter): Promise<number>;
  secrets(filter: { clientId?: string; secretId?: string }): Promise<readonly SecretRecord[]>;
  /** Of the next `limit` clients by ordinal, those that are active, were made before `beforeMs` and have been unused since. */
  dormantClients(page: {
    readonly beforeMs: number;
    readonly after: number;
    readonly limit: number;
  }): Promise<DormantPage>;
  claims(filter?: { claimId?: string; clientId?: string }): Promise<readonly ClaimRecord[]>;
  /** What proves that somebody holds a claim: for comparing, not for people. */
  claimHashes(claimId: string): Promise<ClaimHashes | undefined>;
  /** Live secrets of clients that are not deleted, which end within the range, by ordinal. */
  expiringSecrets(page: {
    readonly fromMs: number;
    readonly untilMs: number;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly ExpiringSecret[]>;
  scopes(environment: string): Promise<readonly { number: number; name: string }[]>;
  resources(environment: string): Promise<readonly { number: number; uri: string }[]>;
  /** The audit lines of the changes about these targets in a span of time, oldest first. */
  changesAbout(query: {
    readonly targets: readonly string[];
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly limit: number;
  }): Promise<readonly AuditLine[]>;
  /** Every root key, retired ones too, with the secrets that need it at `atMs`. */
  keys(atMs: number): Promise<readonly KeyRecord[]>;
  /** The secrets that have one of these keyed hashes, with what they are at `atMs`. */
  secretsByMac(macs: readonly Uint8Array[], atMs: number): Promise<readonly FoundSecret[]>;
  /** What was refused in the hours that touch a span of time, latest first. */
  refusals(query: RefusalQuery): Promise<readonly RefusalCount[]>;
  /** Those that somebody has set. */
  policies(): Promise<readonly PolicyRecord[]>;
  /** Number of the last change about a program, or about a client and its secrets; 0: there was none. */
  lastChange(target: string): Promise<number>;
};
