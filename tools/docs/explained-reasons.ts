/** What lies behind each answer of a resource server and what to check: one entry a reason, so that the compiler misses the one that is left out. */

import type { BearerReason } from '../../protocol/src/index.ts';

export type Explained = { readonly cause: string; readonly check: string };

export const explainedBearerReasons: { readonly [R in BearerReason]: Explained } = {
  'no-token': {
    cause: 'No `Authorization` header, or another scheme.',
    check: 'Send `Authorization: Bearer`, one space, the token.',
  },
  'malformed-token': {
    cause: 'What follows `Bearer` cannot be a token.',
    check: 'Is the variable empty, quoted, or followed by a line break?',
  },
  'unknown-token': { cause: 'Not a token of this environment.', check: 'Get a new one.' },
  'revoked-token': {
    cause: 'It was revoked, or its secret, client or program was stopped after it was issued.',
    check: 'Get a new one. If `/token` refuses too, ask support.',
  },
  'token-of-another-environment': {
    cause: 'It was issued by another environment.',
    check: 'Pair each URL with its environment.',
  },
  'token-of-another-resource': {
    cause: 'It was issued for another resource.',
    check: 'Ask for a token with the right `resource`.',
  },
  'address-not-allowed': {
    cause: 'It is good from the addresses of its client only, and was presented elsewhere.',
    check: 'Call from an address that the bank has on record for you.',
  },
  'inactive-token': {
    cause: 'It expired, was revoked, or never was a token here. Introspection does not tell which.',
    check: 'Get a new one. If `/token` refuses too, ask support.',
  },
  'expired-token': {
    cause: 'Its lifetime is over.',
    check: 'Get a new one, then repeat the call.',
  },
  'insufficient-scope': {
    cause: 'The token is good and lacks the scope in the challenge.',
    check: 'Ask for that scope at `/token`; if it is refused there, ask support.',
  },
  'two-authentications': {
    cause: 'Two `Authorization` headers, or a token in a second place.',
    check: 'Does a proxy or a library add one?',
  },
  'token-in-query': {
    cause: '`access_token` stands in the URL.',
    check: 'Get a new token and send it in the header: the old one is in logs by now.',
  },
  'token-in-form': {
    cause: '`access_token` stands in the form.',
    check: 'Send it in the header.',
  },
  throttled: { cause: 'Too many requests.', check: 'Wait as long as `Retry-After` says.' },
  'authority-unavailable': {
    cause: 'The resource server cannot reach the authority, or was answered 503.',
    check: 'Repeat the call after `Retry-After`. The token may be perfectly good.',
  },
};
