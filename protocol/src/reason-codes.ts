/**
 * The number of each reason, as it stands in the ids of refused requests. Append-only: a number that was once given out means the same
 * reason for ever, or old ids would be explained wrongly. One that falls out of use moves to `RETIRED_REASON_CODES`.
 */

import type { Reason } from './refusal.ts';

export const REASON_CODES: { readonly [R in Reason]: number } = {
  'unknown-client': 1,
  'wrong-secret': 2,
  'expired-secret': 3,
  'revoked-secret': 4,
  'suspended-client': 5,
  'suspended-program': 6,
  'deleted-client': 7,
  'address-not-allowed': 8,
  'other-environment': 9,
  'missing-client-secret': 10,
  'missing-credentials': 11,
  'basic-not-offered': 12,
  'two-authentications': 13,
  'malformed-token': 14,
  'credentials-in-query': 15,
  'token-in-query': 16,
  'token-of-another-client': 17,
  'unsupported-grant': 18,
  'scope-malformed': 19,
  'scope-not-allowed': 20,
  'scope-too-many-combinations': 21,
  'resource-malformed': 22,
  'resource-unknown': 23,
  'resource-repeated': 24,
  'resource-ambiguous': 25,
  'missing-parameter': 26,
  'repeated-parameter': 27,
  'parameter-in-query-and-body': 28,
  'malformed-form': 29,
  'too-many-parameters': 30,
  'unsupported-media-type': 31,
  'unsupported-charset': 32,
  'unsupported-encoding': 33,
  'method-not-allowed': 34,
  'not-found': 35,
  'too-large': 36,
  timeout: 37,
  'plain-http': 38,
  'malformed-message': 39,
  'headers-too-large': 40,
  'untrusted-peer': 41,
  'malformed-forwarding': 42,
  throttled: 43,
  overloaded: 44,
  'store-unavailable': 45,
  'lease-lost': 46,
  'internal-error': 47,
  'address-unknown': 48,
  'client-ip-malformed': 49,
  'quota-reached': 50,
  'report-malformed': 51,
  'signature-invalid': 52,
  'too-many-reports': 53,
  'signer-keys-unavailable': 54,
  'no-token': 55,
  'unknown-token': 56,
  'revoked-token': 57,
  'expired-token': 58,
  'token-of-another-resource': 59,
  'insufficient-scope': 60,
  'not-a-gateway': 61,
  'gateway-misconfigured': 62,
  'claim-unknown': 63,
  'claim-ended': 64,
  'claim-used': 65,
  'claim-on-hold': 66,
  'claim-passphrase': 67,
  'claim-cross-site': 68,
  'malformed-basic': 69,
};

/** Numbers that no reason may be given again. */
export const RETIRED_REASON_CODES: readonly number[] = [];

const BY_CODE: ReadonlyMap<number, Reason> = new Map(
  Object.entries(REASON_CODES).map(([reason, code]) => [code, reason as Reason]),
);

/** The reason of a number; undefined for one that this version does not know. */
export function reasonOfCode(code: number): Reason | undefined {
  return BY_CODE.get(code);
}
