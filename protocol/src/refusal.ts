/**
 * Why a request is not granted: the rich reasons that only the inside may know. What a caller may read of them is decided
 * in one other place, the bridge in `wire.ts`.
 */

import type { Parameter } from './parameter.ts';

/** Reasons that need no more than their name. */
type PlainReason =
  // The credential. The first eight look the same from outside.
  | 'unknown-client'
  | 'wrong-secret'
  | 'expired-secret'
  | 'revoked-secret'
  | 'suspended-client'
  | 'suspended-program'
  | 'deleted-client'
  | 'address-not-allowed'
  | 'address-unknown'
  | 'missing-client-secret'
  | 'missing-credentials'
  | 'basic-not-offered'
  | 'malformed-basic'
  | 'two-authentications'
  | 'malformed-token'
  | 'credentials-in-query'
  | 'token-in-query'
  // What was asked for.
  // A token at the gateway's endpoint.
  | 'no-token'
  | 'unknown-token'
  | 'revoked-token'
  | 'expired-token'
  | 'token-of-another-resource'
  | 'insufficient-scope'
  | 'not-a-gateway'
  | 'gateway-misconfigured'
  | 'token-of-another-client'
  | 'unsupported-grant'
  | 'scope-malformed'
  | 'scope-not-allowed'
  | 'scope-too-many-combinations'
  | 'resource-malformed'
  | 'resource-unknown'
  | 'resource-repeated'
  | 'resource-ambiguous'
  | 'client-ip-malformed'
  // A link to a secret.
  | 'claim-unknown'
  | 'claim-ended'
  | 'claim-used'
  | 'claim-on-hold'
  | 'claim-passphrase'
  | 'claim-cross-site'
  // The message.
  | 'malformed-form'
  | 'too-many-parameters'
  | 'unsupported-media-type'
  | 'unsupported-charset'
  | 'unsupported-encoding'
  | 'too-large'
  | 'timeout'
  | 'not-found'
  | 'plain-http'
  | 'malformed-message'
  | 'headers-too-large'
  | 'untrusted-peer'
  | 'malformed-forwarding'
  // A found credential.
  | 'report-malformed'
  | 'signature-invalid'
  | 'internal-error';

type NamedParameter = {
  /** Undefined when the caller's name for it is not one that may be repeated. */
  readonly parameter?: Parameter | undefined;
};

type Later = {
  /** When asking again makes sense; a small default when it is not known. */
  readonly retryAfterSeconds?: number | undefined;
};

/** What a reason tells beyond its name. All of it is public. */
type Details = {
  'missing-parameter': { readonly parameter: Parameter };
  'repeated-parameter': NamedParameter;
  'parameter-in-query-and-body': NamedParameter;
  'other-environment': {
    /** Name of the environment that the credential says it belongs to. */
    readonly presented: string;
    /** Name of the environment that was asked. */
    readonly here: string;
    /** Where the presented credential would be accepted. */
    readonly tokenEndpoint: string;
  };
  'method-not-allowed': { readonly allow: string };
  throttled: Later;
  'too-many-reports': Later;
  'signer-keys-unavailable': Later;
  'quota-reached': Later & { readonly tokenLifetimeSeconds: number };
  overloaded: Later;
  'store-unavailable': Later;
  'lease-lost': Later;
};

export type Reason = PlainReason | keyof Details;

type DetailOf<R extends Reason> = R extends keyof Details ? Details[R] : unknown;

/** The refusal of one reason, with its detail. */
export type RefusalOf<R extends Reason> = { readonly reason: R } & DetailOf<R>;

/** Why a request is not granted, told apart by `reason`. */
export type Refusal = { [R in Reason]: RefusalOf<R> }[Reason];

type DetailArguments<R extends Reason> = R extends keyof Details
  ? Partial<Details[R]> extends Details[R]
    ? [detail?: Details[R]]
    : [detail: Details[R]]
  : [];

/** Makes the refusal of a reason; the compiler asks for the detail that the reason needs. */
export function refuse<R extends Reason>(reason: R, ...[detail]: DetailArguments<R>): RefusalOf<R> {
  return { reason, ...detail } as unknown as RefusalOf<R>;
}

/** Tells a refusal from the value that was hoped for. */
export function isRefusal<T>(value: T): value is Extract<T, { readonly reason: string }> {
  return typeof value === 'object' && value !== null && 'reason' in value;
}
