import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REASON_CODES, RETIRED_REASON_CODES, reasonOfCode } from './reason-codes.ts';
import type { Reason } from './refusal.ts';

/** As they were first given out, in order from 1. A line is never changed or removed; new ones go to the end. */
const GIVEN_OUT = [
  'unknown-client',
  'wrong-secret',
  'expired-secret',
  'revoked-secret',
  'suspended-client',
  'suspended-program',
  'deleted-client',
  'address-not-allowed',
  'other-environment',
  'missing-client-secret',
  'missing-credentials',
  'basic-not-offered',
  'two-authentications',
  'malformed-token',
  'credentials-in-query',
  'token-in-query',
  'token-of-another-client',
  'unsupported-grant',
  'scope-malformed',
  'scope-not-allowed',
  'scope-too-many-combinations',
  'resource-malformed',
  'resource-unknown',
  'resource-repeated',
  'resource-ambiguous',
  'missing-parameter',
  'repeated-parameter',
  'parameter-in-query-and-body',
  'malformed-form',
  'too-many-parameters',
  'unsupported-media-type',
  'unsupported-charset',
  'unsupported-encoding',
  'method-not-allowed',
  'not-found',
  'too-large',
  'timeout',
  'plain-http',
  'malformed-message',
  'headers-too-large',
  'untrusted-peer',
  'malformed-forwarding',
  'throttled',
  'overloaded',
  'store-unavailable',
  'lease-lost',
  'internal-error',
  'address-unknown',
  'client-ip-malformed',
  'quota-reached',
  'report-malformed',
  'signature-invalid',
  'too-many-reports',
  'signer-keys-unavailable',
  'no-token',
  'unknown-token',
  'revoked-token',
  'expired-token',
  'token-of-another-resource',
  'insufficient-scope',
  'not-a-gateway',
  'gateway-misconfigured',
  'claim-unknown',
  'claim-ended',
  'claim-used',
  'claim-on-hold',
  'claim-passphrase',
  'claim-cross-site',
  'malformed-basic',
];

const inUse = Object.entries(REASON_CODES);

test('no number of a reason is used twice, or again', () => {
  const numbers = [...inUse.map(([, code]) => code), ...RETIRED_REASON_CODES];
  assert.equal(new Set(numbers).size, numbers.length);
  for (const code of numbers) assert.ok(Number.isInteger(code) && code >= 1 && code <= 0xffff);
});

test('a number that was given out means the same reason for ever', () => {
  for (const [index, reason] of GIVEN_OUT.entries()) {
    const code = index + 1;
    const isKept = REASON_CODES[reason as Reason] === code || RETIRED_REASON_CODES.includes(code);
    assert.ok(isKept, `${reason} was ${code}`);
  }
  for (const [reason, code] of inUse) {
    assert.equal(GIVEN_OUT[code - 1], reason, `write ${reason} down in this test, at ${code}`);
  }
});

test('every number leads back to its reason, and no other number to any', () => {
  for (const [reason, code] of inUse) assert.equal(reasonOfCode(code), reason);
  assert.equal(reasonOfCode(0), undefined);
  assert.equal(reasonOfCode(0xffff), undefined);
});
