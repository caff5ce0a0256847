/** What lies behind each reason and what to check: one entry a reason, so that the compiler misses the one that is left out. */

import type { BearerReason, Reason } from '../../protocol/src/index.ts';

export type Explained = { readonly cause: string; readonly check: string };

/** Reasons that the HTTP layer alone gives: no endpoint sees such a request, and nothing is logged. */
export const givenBeforeEndpoints: ReadonlySet<Reason> = new Set([
  'unsupported-encoding',
  'method-not-allowed',
  'not-found',
  'too-large',
  'timeout',
  'plain-http',
]);

const outage = (cause: string, where: string): Explained => ({
  cause,
  check: `Repeat the request after \`Retry-After\`. Operators: ${where}`,
});

export const explainedReasons: { readonly [R in Reason]: Explained } = {
  'unknown-client': {
    cause: 'No client has this `client_id`.',
    check: 'Is it complete, with its upper and lower case? `countersign client list` shows them.',
  },
  'wrong-secret': {
    cause: 'The client exists, the secret is not one of its secrets.',
    check:
      'Is the secret whole (49 characters after the second underscore), percent-encoded, and of this client?',
  },
  'expired-secret': {
    cause: 'The secret was right and its time is over, by its own expiry or after a rotation.',
    check: 'Deploy the newer secret. `countersign secret list CLIENT_ID` shows when each one ends.',
  },
  'revoked-secret': {
    cause: 'The secret was right and has been revoked.',
    check: 'Deploy another one: `countersign secret create CLIENT_ID`.',
  },
  'suspended-client': {
    cause: 'The client is suspended.',
    check: '`countersign client show CLIENT_ID` shows the reason.',
  },
  'suspended-program': {
    cause: 'The program of the client is suspended.',
    check: '`countersign program show PROGRAM_ID` shows the reason.',
  },
  'deleted-client': {
    cause: 'The client was deleted; that cannot be undone.',
    check: 'Is an old configuration still in use? Use the credentials of a client that exists.',
  },
  'address-not-allowed': {
    cause: 'The request came from an address outside the allow-list of the client.',
    check: 'Which address does the request leave from? Behind a proxy: is the proxy declared?',
  },
  'address-unknown': {
    cause:
      'Tokens of this client are good from its own addresses only, and the resource server did not say who presented one.',
    check: 'Does the resource server send `client_ip` to `/introspect`?',
  },
  'other-environment': {
    cause: 'The tag in the `client_id` is that of another environment.',
    check: 'Pair each URL with the credentials of its environment; the answer names the right URL.',
  },
  'missing-client-secret': {
    cause: 'The form holds no `client_secret`, or an empty one.',
    check: 'Is the variable set from which your program reads it?',
  },
  'missing-credentials': {
    cause: 'Neither credentials in the form nor a scheme that is taken here.',
    check: 'Send `client_id` and `client_secret` as form parameters.',
  },
  'basic-not-offered': {
    cause: 'The credentials came in an `Authorization: Basic` header.',
    check: 'Set your client library to `client_secret_post`.',
  },
  'two-authentications': {
    cause: 'An `Authorization` header beside credentials in the form, or two such headers.',
    check: 'Does a proxy or an HTTP library add the header?',
  },
  'malformed-token': {
    cause: 'A bearer token stands in the `Authorization` header and is none.',
    check: 'Leave that header out at these endpoints.',
  },
  'credentials-in-query': {
    cause: 'A client secret stands in the URL. If it is a live one, it is flagged as exposed.',
    check: 'Rotate the secret: it stands in logs by now. Send it in the body.',
  },
  'token-in-query': {
    cause: 'An access token stands in the URL. If it is a live one, it is revoked.',
    check: 'Get a new token; send it in the body.',
  },
  'token-of-another-client': {
    cause:
      'The token to revoke is alive and belongs to another client. It stays alive; the audit trail notes it.',
    check: 'A client revokes its own tokens only. Report a token that you found to support.',
  },
  'unsupported-grant': {
    cause: '`grant_type` is anything but `client_credentials`, case included.',
    check: 'There is this one grant.',
  },
  'scope-malformed': {
    cause: '`scope` does not follow RFC 6749 §3.3, or is too long.',
    check: 'Names with one space between them, in the form once.',
  },
  'scope-not-allowed': {
    cause:
      'At least one of the names is not among those of the client. Nothing is granted in part.',
    check: '`countersign client show CLIENT_ID` lists them. Names are case-sensitive.',
  },
  'scope-too-many-combinations': {
    cause: 'The client has used as many different combinations of scopes as one client may.',
    check: 'Ask for the same few combinations each time.',
  },
  'resource-malformed': {
    cause: 'A `resource` is no absolute URI, has a fragment, or is longer than 512 characters.',
    check: 'Copy the URI as it was declared.',
  },
  'resource-unknown': {
    cause: 'The `resource` is not among those of the client.',
    check: 'URIs are compared character by character: slashes, case and port count.',
  },
  'resource-repeated': {
    cause: 'More than one `resource` in one request.',
    check: 'Get one token for each.',
  },
  'resource-ambiguous': {
    cause: 'The client has several resources and the request names none.',
    check: 'Add `resource`.',
  },
  'client-ip-malformed': {
    cause: '`client_ip` is not an IPv4 or IPv6 address.',
    check: 'Send the one address that presented the token, without a port.',
  },
  'missing-parameter': {
    cause: 'The parameter is absent or empty.',
    check: 'An empty value counts as absent.',
  },
  'repeated-parameter': {
    cause:
      'A parameter stands in the form twice. Only `resource` may, and then it is refused for other reasons.',
    check: 'Does the program add to a form that holds it already?',
  },
  'parameter-in-query-and-body': {
    cause: 'A parameter stands in the URL and in the form.',
    check: 'Take it out of the URL.',
  },
  'malformed-form': {
    cause:
      'A broken percent escape, bytes that are not UTF-8, a NUL, or characters that must be escaped.',
    check: 'Use the form encoder of your HTTP library.',
  },
  'too-many-parameters': { cause: 'More than 64 parameters.', check: 'Three or four are enough.' },
  'unsupported-media-type': {
    cause: 'The body is not declared as a form; JSON, for example.',
    check: 'The `Content-Type` header.',
  },
  'unsupported-charset': {
    cause: '`Content-Type` names a charset other than UTF-8, or two.',
    check: 'The `Content-Type` header.',
  },
  'unsupported-encoding': {
    cause: 'The body is compressed.',
    check: 'Switch request compression off.',
  },
  'method-not-allowed': {
    cause: 'The path exists; the method does not.',
    check: 'The three endpoints of RFC 6749, 7662 and 7009 take POST.',
  },
  'not-found': {
    cause: 'No endpoint stands at this path, compared character by character.',
    check: 'The issuer is part of it: `/sandbox/token`, not `/token`.',
  },
  'too-large': { cause: 'The body is longer than 8 KiB.', check: 'What else is in it?' },
  timeout: {
    cause: 'The request did not arrive within `requestTimeoutMs` (10 s by default).',
    check: 'The network; a `Content-Length` larger than the body.',
  },
  'plain-http': {
    cause: 'The proxy in front says that the caller came by plain HTTP (`X-Forwarded-Proto`).',
    check: 'Use https. Rotate a secret that was sent this way. There is no redirect, on purpose.',
  },
  'quota-reached': {
    cause: 'The client has had as many tokens this hour as its quota allows.',
    check:
      'Does the partner keep a token and use it until it expires? `countersign client update ID --token-quota N` changes the quota.',
  },
  throttled: {
    cause:
      'Too many failed attempts: by this address with this client, or by this address altogether.',
    check: 'Wait as long as `Retry-After` says, and mend the credentials first.',
  },
  overloaded: outage(
    'More requests at once than a node takes, or a decision that changes kept overtaking.',
    'more workers or machines.',
  ),
  'store-unavailable': outage(
    'The database or the journal cannot be used, or not every node has confirmed a revocation in time.',
    '`countersign doctor`, free space, and the lines before this one in the log.',
  ),
  'lease-lost': outage(
    'The node has had no news from the store for a whole lease.',
    '`countersign nodes`; the log lines "no news from the store" say why.',
  ),
  'internal-error': {
    cause: 'A fault in the authority. Nothing was granted.',
    check:
      'The log line "a request failed" with the same request id holds the stack. Please report it.',
  },
};

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
