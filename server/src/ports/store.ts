/** What operators change, as data: one atomic verb, `commit`, over a closed list of changes. */

import type { Approvable } from './approvals.ts';
import type { ClaimAttempt, NewClaim } from './claims.ts';
import type { KeyPurpose, Role, TokenQuota } from './model.ts';
import type { RefusalCount } from './refusal-counts.ts';
import type { SecretMove, SecretUse } from './secret-upkeep.ts';
import type { NewSuspension } from './suspensions.ts';
import type { WebhookChange } from './webhooks.ts';

export type NewSecret = {
  readonly secretId: string;
  readonly name?: string;
  readonly mac: Uint8Array;
  readonly pepperVersion: number;
  readonly hint: string;
  readonly expiresAtMs?: number;
};

/** A root key to add: the next version, wrapped under the master key that the store is under. */
export type NewKey = {
  readonly environment: string;
  readonly version: number;
  readonly wrapped: string;
  /** Fingerprint of that master key: a key wrapped under another one would be lost. */
  readonly masterKeyCheck: string;
};

/** What an update of a client sets; what is left out stays. */
export type ClientSettings = {
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly resources?: readonly string[];
  readonly allowIp?: readonly string[];
  readonly verifyAddress?: boolean;
  readonly tokenLifetimeSeconds?: number;
  readonly tokenQuota?: TokenQuota | 'none';
};

/** One change of the authority's state. Each is atomic, appends to the change log and writes its audit line. */
export type Change =
  | { readonly kind: 'program.create'; readonly programId: string; readonly name: string }
  | (NewSuspension & { readonly kind: 'program.suspend'; readonly programId: string })
  | {
      readonly kind: 'client.create';
      readonly clientId: string;
      readonly programId: string;
      readonly environment: string;
      readonly name: string;
      readonly scope: readonly string[];
      readonly resources: readonly string[];
      readonly allowIp: readonly string[];
      readonly tokenLifetimeSeconds: number;
      readonly resourceServer: boolean;
      /** Its first secret, or the claim that stands for it. */
      readonly secret?: NewSecret;
      readonly claim?: NewClaim;
    }
  | {
      readonly kind: 'client.update';
      readonly clientId: string;
      readonly set: ClientSettings;
      /** Its tokens live on though it may do less than before. */
      readonly keepTokens: boolean;
    }
  /** Puts on record that nobody uses the client. */
  | {
      readonly kind: 'client.dormant';
      readonly clientId: string;
      readonly days: number;
      readonly lastUsedAtMs?: number;
    }
  | (NewSuspension & { readonly kind: 'client.suspend'; readonly clientId: string })
  /** Suspends these clients, by ordinal: a thousand at most, as other changes wait meanwhile. */
  | (NewSuspension & {
      readonly kind: 'client.suspend-many';
      readonly clients: readonly number[];
      /** How they were selected, for the audit trail; how many were found; and which part of them it is, from 1. */
      readonly where: readonly string[];
      readonly matched: number;
      readonly part: number;
    })
  /** Ends those of these suspensions that are open and due, whatever they are of. */
  | {
      readonly kind: 'suspension.end';
      readonly suspensions: readonly number[];
      readonly dueAtMs: number;
    }
  | { readonly kind: 'client.delete'; readonly clientId: string }
  /** Hands the next secret of a client to whoever holds the claim; an earlier claim that was not used is revoked. */
  | { readonly kind: 'claim.create'; readonly clientId: string; readonly claim: NewClaim }
  /** Recorded as `claim.used`, with the secret in the same transaction, or as `claim.failed`: the passphrase was wrong. */
  | {
      readonly kind: 'claim.use';
      readonly attempt: ClaimAttempt;
      /** Its name and its end are the claim's. */
      readonly secret: NewSecret;
    }
  /** Ends the secret of a used claim with its tokens. Recorded as `secret.revoke`, or as `claim.failed`. */
  | { readonly kind: 'claim.stop'; readonly attempt: ClaimAttempt }
  | { readonly kind: 'claim.revoke'; readonly claimId: string }
  | { readonly kind: 'secret.create'; readonly clientId: string; readonly secret: NewSecret }
  | {
      readonly kind: 'secret.rotate';
      readonly clientId: string;
      readonly secret: NewSecret;
      /** When the secrets that were live before it end; at or before now: at once. */
      readonly othersExpireAtMs: number;
    }
  /** Gives a secret that has not ended another end, or none: an overlap is extended, cut short or cancelled by it. */
  | {
      readonly kind: 'secret.expire';
      readonly secretId: string;
      readonly expiresAtMs: number | undefined;
    }
  /** Puts on record, once, that the end of a secret is at most so many days away. Alters nothing else. */
  | {
      readonly kind: 'secret.expiring';
      readonly secretId: string;
      readonly expiresAtMs: number;
      readonly days: number;
    }
  | { readonly kind: 'secret.revoke'; readonly secretId: string; readonly killTokens: boolean }
  | { readonly kind: 'secret.expose'; readonly secret: number; readonly where: string }
  | { readonly kind: 'scope.create'; readonly environment: string; readonly name: string }
  | { readonly kind: 'resource.create'; readonly environment: string; readonly uri: string }
  | {
      readonly kind: 'scope-set.intern';
      readonly environment: number;
      readonly client: number;
      readonly scope: string;
    }
  | {
      readonly kind: 'token.revoke';
      readonly jti: string;
      readonly client: number;
      readonly expiresAtMs: number;
      /** Where it was found, if that is why. */
      readonly where?: string;
    }
  /** Makes the environment of operators with its first keys, their roles as its scopes, and the program of the bank's own people. */
  | {
      readonly kind: 'operators.open';
      readonly issuer: string;
      /** Each version 1, wrapped under the master key of the store. */
      readonly keys: readonly { readonly purpose: KeyPurpose; readonly wrapped: string }[];
    }
  | {
      readonly kind: 'operator.create';
      readonly clientId: string;
      readonly programId: string;
      readonly name: string;
      readonly role: Role;
      readonly tokenLifetimeSeconds: number;
      readonly secret: NewSecret;
    }
  | { readonly kind: 'operator.remove'; readonly clientId: string }
  | {
      readonly kind: 'environment.configure';
      readonly environment: string;
      readonly issuer: string;
    }
  /** The key that checkpoints of the audit trail are signed with; a store has one. */
  | {
      readonly kind: 'audit-key.create';
      readonly keyId: string;
      readonly publicKey: string;
      readonly wrapped: string;
      readonly masterKeyCheck: string;
    }
  | WebhookChange
  | (NewKey & { readonly kind: 'key.rotate'; readonly purpose: KeyPurpose })
  | {
      readonly kind: 'key.retire';
      readonly purpose: KeyPurpose;
      readonly environment: string;
      readonly version: number;
    }
  /** Adds a token key and retires every earlier one of the environment: each of its tokens is dead. */
  | (NewKey & {
      readonly kind: 'key.retire-all';
      /** Version that must not be used any more; when it is retired already nothing is changed. */
      readonly leaked: number;
      readonly reason: string;
    })
  /** Reactivations and policies: what may need an approval. */
  | Approvable
  | {
      readonly kind: 'approval.ask';
      readonly approvalId: string;
      readonly asks: Approvable;
      readonly reason?: string | undefined;
      readonly expiresAtMs: number;
    }
  /** Carries out what was asked for. Refused to whoever asked. */
  | { readonly kind: 'approval.grant'; readonly approvalId: string }
  | {
      readonly kind: 'approval.refuse';
      readonly approvalId: string;
      readonly reason?: string | undefined;
    }
  /** Puts every root key under another master key. Refused while a node is registered. */
  | {
      readonly kind: 'key.rewrap';
      /** Fingerprints of the master keys. */
      readonly before: string;
      readonly after: string;
      /** Each wrapped key there is, retired ones too, and what takes its place. */
      readonly wrapped: readonly { readonly before: string; readonly after: string }[];
    };

export type Command = {
  readonly change: Change;
  /** Who asked: `cli:ada@desk-4`, `client:client_test_…`, `system`. */
  readonly actor: string;
  readonly atMs: number;
  /** Refused as stale, in the same transaction, unless the last change about the target is this one. */
  readonly expected?: { readonly target: string; readonly change: number } | undefined;
  /** Done once, however often it is asked for. */
  readonly once?: Once | undefined;
};

/** Names a creation, so that whoever heard no answer can ask again without creating twice. Good for a day. */
export type Once = {
  /** Whose key it is; another caller's is another key. */
  readonly caller: string;
  readonly key: string;
  /** Digest of what is asked for: the same key with another one is refused. */
  readonly request: string;
  /** What the answer names: ids and settings, never a secret. */
  readonly made: Readonly<Record<string, unknown>>;
};

export type Committed = {
  /** Number of the change to wait for: of this one, or of the earlier one that already had this effect. */
  readonly sequence: number;
  /** Random id of that change; '' with the number 0. */
  readonly changeId: string;
  /** False: the state was already so and nothing was written. */
  readonly changed: boolean;
  /** Of a change of many: how many it changed. */
  readonly affected?: number;
  /** It was done under the same key before: what was made then. */
  readonly replayed?: Once['made'];
  /** Of what was written: the kind under which it stands in the log. */
  readonly recordedAs?: string;
};

export type RefusalCode =
  | 'not-found'
  | 'conflict'
  | 'invalid'
  | 'limit'
  /** What it was decided by has changed since (`expected`). */
  | 'stale'
  /** The key of a creation names another one (`once`). */
  | 'key-reused';

/** An operator's request that cannot be granted. The message is for the operator and says what to do. */
export class ChangeRefused extends Error {
  override readonly name = 'ChangeRefused';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The store cannot be used now, or its answer is unknown: an outage, never a caller's fault. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export type Changes = {
  /** Commits one change. Throws `ChangeRefused` (nothing written) or `StoreUnavailable`. */
  commit(command: Command): Promise<Committed>;
  /** Writes an audit line that stands beside no change, such as a complete receipt. */
  record(line: {
    readonly actor: string;
    readonly atMs: number;
    readonly action: string;
    readonly target: string;
    readonly change?: number;
    readonly detail: Readonly<Record<string, unknown>>;
  }): Promise<void>;
  /** Tells what a node has given out of hourly quotas, and learns what the others gave to the same clients. It is no change of the log. */
  shareQuota(share: QuotaShare): Promise<readonly QuotaUse[]>;
  /** Stores a secret's hash under a newer pepper. It alters no decision, so it is no change of the log. False: not as expected any more. */
  moveSecret(move: SecretMove): Promise<boolean>;
  /** Takes out rows that were kept for a time only, as of `atMs`. */
  prune(atMs: number): Promise<void>;
  /** Adds refused attempts to those counted before. No change of the log. */
  noteRefusals(counts: readonly RefusalCount[]): Promise<void>;
  /** Notes the latest use of each secret; an earlier one than is noted changes nothing. No change of the log. */
  noteUses(uses: readonly SecretUse[]): Promise<void>;
};

export type QuotaUse = { readonly client: number; readonly tokens: number };

export type QuotaShare = {
  readonly node: string;
  /** Hours since 1970. */
  readonly hour: number;
  /** All that the node has given to these clients in that hour so far. */
  readonly uses: readonly QuotaUse[];
};

/** Where the store stands and what a failover would cost, of one that can have standbys. */
export type Replication = {
  /** System identifier and timeline; empty where the engine does not tell. */
  readonly place: string;
  /** Since when the store has been there. */
  readonly sinceMs: number;
  /** Commits wait for a standby. */
  readonly isSynchronous: boolean;
  readonly standbys: number;
  /** Nothing is decided for as long, as nodes of a lost primary may still do so. */
  readonly waitsMs?: number;
};
