/**
 * The one bridge from the reasons inside to the few codes on the wire. Nothing a caller sent ever crosses it: every text
 * is ours, says what to do next, and keeps to the characters of RFC 6749 §5.2.
 */

import type { Reason, Refusal, RefusalOf } from './refusal.ts';

/** RFC 6749 §5.2 and §4.1.2.1 (the last two), RFC 8707 §2 (`invalid_target`). */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'server_error'
  // RFC 6750 §3.1, at the endpoint that gateways ask.
  | 'invalid_token'
  | 'insufficient_scope'
  | 'temporarily_unavailable';

export type Wire = {
  readonly status: number;
  readonly error: ErrorCode;
  /** Plain words without quotes or backslashes, saying what to do next. */
  readonly description: string;
  readonly headers: Readonly<Record<string, string>>;
};

const RETRY_AFTER_SECONDS_DEFAULT = 1;
const RETRY_AFTER_SECONDS_MAX = 86_400;

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

type Bridge = { readonly [R in Reason]: Wire | ((refusal: RefusalOf<R>) => Wire) };

const INVALID_CLIENT = unauthenticated(
  'Client authentication failed. Check that client_id and client_secret are complete, belong together and are ' +
    'still in use; if they are, contact support.',
);

const NO_GOOD_TOKEN = wire(
  401,
  'invalid_token',
  'The access token is not valid here. Get a new one from the token endpoint.',
);

const SCOPE_SYNTAX =
  'scope is malformed. Write the names with one space between them, at most 4096 characters and 128 names, ' +
  'without quotes, backslashes or characters outside ASCII.';

const BRIDGE: Bridge = {
  // One answer, byte for byte: whoever tries credentials learns nothing from the difference (RFC 6749 §10.10).
  'unknown-client': INVALID_CLIENT,
  'wrong-secret': INVALID_CLIENT,
  'expired-secret': INVALID_CLIENT,
  'revoked-secret': INVALID_CLIENT,
  'suspended-client': INVALID_CLIENT,
  'suspended-program': INVALID_CLIENT,
  'deleted-client': INVALID_CLIENT,
  'address-not-allowed': INVALID_CLIENT,
  'address-unknown': INVALID_CLIENT,

  // The public tag of the client_id alone tells this, so naming the environments gives nothing away.
  'other-environment': ({ presented, here, tokenEndpoint }) =>
    unauthenticated(
      `These are ${presented} credentials, but this is ${here}. Send them to ${tokenEndpoint} or use ` +
        `${here} credentials here.`,
    ),
  // RFC 6749 §5.2: no client authentication included.
  'missing-client-secret': unauthenticated(
    'client_secret is missing. Send it in the form body, beside client_id.',
  ),
  'missing-credentials': unauthenticated(
    'Credentials are missing. Send client_id and client_secret in the form body.',
  ),
  'basic-not-offered': unauthenticated(
    'Send client_id and client_secret in the form body, not in the Authorization header.',
  ),
  'malformed-basic': unauthenticated(
    'The Authorization header holds no client_id and client_secret. Send them in the form body instead.',
  ),

  'two-authentications': badRequest(
    'Authenticate once: send client_id and client_secret in the form body and no Authorization header.',
  ),
  'malformed-token': badRequest(
    'The Authorization header is malformed. Send client_id and client_secret in the form body instead.',
  ),
  'credentials-in-query': badRequest(
    'Credentials must not stand in the URL, which ends up in logs. Consider this secret exposed, rotate it, ' +
      'and send credentials in the form body only.',
  ),
  'token-in-query': badRequest(
    'A token must not stand in the URL, which ends up in logs. Consider this token exposed, get a new one, ' +
      'and send tokens in the form body only.',
  ),

  // The words of these are those of RFC 6750's bridge (bearer.ts), which knows the realm and the scope for the challenge.
  'no-token': wire(401, 'invalid_token', 'Send an access token in the Authorization header.'),
  'unknown-token': NO_GOOD_TOKEN,
  'revoked-token': NO_GOOD_TOKEN,
  'expired-token': NO_GOOD_TOKEN,
  'token-of-another-resource': NO_GOOD_TOKEN,
  'insufficient-scope': wire(
    403,
    'insufficient_scope',
    'The access token lacks a scope that this request needs.',
  ),
  'not-a-gateway': wire(
    403,
    'unauthorized_client',
    'This endpoint answers gateways only. To ask about a token, use introspection.',
  ),
  'gateway-misconfigured': badRequest(
    'The gateway asks for something that this endpoint does not know: it takes scope, resource and mode, each once.',
  ),

  // RFC 7009 §2.1: the client is informed; §2.2.1 takes the form of RFC 6749 §5.2, hence 400.
  'token-of-another-client': wire(
    400,
    'unauthorized_client',
    'A client may revoke its own tokens only. To report a token that you found, contact support.',
  ),
  'unsupported-grant': wire(
    400,
    'unsupported_grant_type',
    'grant_type must be exactly client_credentials.',
  ),
  'scope-malformed': wire(400, 'invalid_scope', SCOPE_SYNTAX),
  'scope-not-allowed': wire(
    400,
    'invalid_scope',
    'A requested scope is not granted to this client. Names are case-sensitive; leave scope out to get all ' +
      'that the client may have.',
  ),
  'scope-too-many-combinations': wire(
    400,
    'invalid_scope',
    'This client has used too many different combinations of scopes. Ask for one that it used before, or leave ' +
      'scope out.',
  ),
  'resource-malformed': target('resource must be an absolute URI without a fragment.'),
  'resource-unknown': target(
    'This client may not ask for that resource. Its URI must match the declared one character by character.',
  ),
  'resource-repeated': target('Ask for one resource at a time: a token is good for one.'),
  'resource-ambiguous': target('This client has several resources. Name one with resource.'),

  'client-ip-malformed': badRequest(
    'client_ip must be one IPv4 or IPv6 address: the one that presented the token.',
  ),

  // Shown on pages to people.
  'claim-unknown': wire(
    404,
    'invalid_request',
    'There is nothing at this link. Check that it is complete; if it is, ask whoever sent it for a new one.',
  ),
  'claim-ended': wire(
    410,
    'invalid_request',
    'This link has ended: its time is over, it was revoked or replaced by a newer one, or the passphrase was wrong ' +
      'too often. Ask whoever sent it for a new one.',
  ),
  'claim-used': wire(410, 'invalid_request', 'This link was used. It shows no secret again.'),
  'claim-on-hold': wire(
    409,
    'invalid_request',
    'No secret can be made for this client now: it is suspended, or has as many live secrets as it may have. ' +
      'Contact whoever sent the link; until its time is over it stays good.',
  ),
  'claim-passphrase': wire(403, 'invalid_request', 'The passphrase was wrong.'),
  'claim-cross-site': wire(
    403,
    'invalid_request',
    'The form was sent from another site. Open the link itself and press the button there.',
  ),

  'missing-parameter': ({ parameter }) =>
    badRequest(`${parameter} is missing. Send it in the form body.`),
  'repeated-parameter': ({ parameter }) =>
    badRequest(`${parameter ?? 'A parameter'} stands in the form more than once. Send it once.`),
  'parameter-in-query-and-body': ({ parameter }) =>
    badRequest(
      `${parameter ?? 'A parameter'} stands in both the URL and the form. Send it in the form body only.`,
    ),
  'malformed-form': badRequest(
    'The form is malformed. Percent-encode all but plain ASCII letters, digits and - . _ ~ as UTF-8.',
  ),
  'too-many-parameters': badRequest('The form has too many parameters. Send at most 64.'),

  'unsupported-media-type': wire(
    415,
    'invalid_request',
    'Send the parameters as a form, with the header Content-Type: application/x-www-form-urlencoded.',
  ),
  'unsupported-charset': wire(
    415,
    'invalid_request',
    'The form must be UTF-8. Leave charset out of Content-Type, or name UTF-8 once.',
  ),
  'unsupported-encoding': withHeader(
    wire(415, 'invalid_request', 'Send the body without Content-Encoding.'),
    // RFC 9110 §15.5.16: tells that the encoding was the matter, and which would do.
    'Accept-Encoding',
    'identity',
  ),
  'method-not-allowed': ({ allow }) =>
    withHeader(
      wire(405, 'invalid_request', `This endpoint answers ${allow} only.`),
      'Allow',
      allow,
    ),
  'not-found': wire(404, 'invalid_request', 'There is nothing at this URL. Check its path.'),
  'too-large': wire(413, 'invalid_request', 'The request is too large.'),
  timeout: wire(408, 'invalid_request', 'The request took too long to arrive. Send it again.'),
  'plain-http': badRequest('Use HTTPS. A secret sent over plain HTTP should be rotated.'),
  'malformed-message': badRequest(
    'The HTTP message is malformed, or repeats a header that must stand once.',
  ),
  'headers-too-large': wire(431, 'invalid_request', 'The request headers are too large.'),
  'untrusted-peer': wire(
    403,
    'invalid_request',
    'This address is not a declared proxy. Send the request to the public address of this service.',
  ),
  'malformed-forwarding': badRequest(
    'The proxy in front sent an X-Forwarded-For header that is not a list of IP addresses.',
  ),

  'quota-reached': ({ tokenLifetimeSeconds, retryAfterSeconds }) =>
    later(
      429,
      `This client has had as many tokens as it may get in an hour. A token is good for ${tokenLifetimeSeconds} seconds: ` +
        'keep it and use it again until it expires.',
      retryAfterSeconds,
    ),
  'report-malformed': badRequest(
    'Send the parameter credentials: in a form, one or more with white space between them, or in JSON, an array of texts; at most 50.',
  ),
  'signature-invalid': wire(
    403,
    'invalid_request',
    'The signature of this alert is missing or wrong. Whoever cannot sign sends what they found to /leaks.',
  ),
  'too-many-reports': ({ retryAfterSeconds }) =>
    later(
      429,
      'Too many reports. Send many credentials in one, and wait as long as Retry-After says.',
      retryAfterSeconds,
    ),
  throttled: ({ retryAfterSeconds }) =>
    later(429, 'Too many requests. Wait as long as Retry-After says.', retryAfterSeconds),
  overloaded: unavailable,
  'signer-keys-unavailable': unavailable,
  'store-unavailable': unavailable,
  'lease-lost': unavailable,
  'internal-error': wire(
    500,
    'server_error',
    'The authority failed and has logged why. Nothing was granted; tell support the request id.',
  ),
};

/** What a caller is told of a refusal. */
export function wireOf(refusal: Refusal): Wire {
  const answer = BRIDGE[refusal.reason];
  // The table pairs each reason with a function of its own refusal, which the type of a look-up cannot say.
  return typeof answer === 'function' ? (answer as (refusal: Refusal) => Wire)(refusal) : answer;
}

/** The JSON body of an error answer (RFC 6749 §5.2). The allowed characters need no escaping. */
export function errorBody(answer: {
  readonly error: string;
  readonly description: string;
}): string {
  return `{"error":"${answer.error}","error_description":"${answer.description}"}`;
}

/** Leaves of a text what RFC 6749 §5.2 allows in a description and RFC 9110 in a quoted string. */
export function allowedCharacters(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '');
}

function wire(status: number, error: ErrorCode, description: string): Wire {
  const words = allowedCharacters(description);
  return Object.freeze({ status, error, description: words, headers: NO_HEADERS });
}

function withHeader(answer: Wire, name: string, value: string): Wire {
  return Object.freeze({ ...answer, headers: Object.freeze({ [name]: value }) });
}

function badRequest(description: string): Wire {
  return wire(400, 'invalid_request', description);
}

function target(description: string): Wire {
  return wire(400, 'invalid_target', description);
}

/**
 * A 401 must carry a challenge (RFC 9110 §15.5.2), and one that names Basic where the client tried it (RFC 6749 §5.2).
 * One fixed challenge serves both that case and credentials in the body. It repeats the code and the words, as
 * clients that see a challenge may never read the body (oauth4webapi does not).
 */
function unauthenticated(description: string): Wire {
  const answer = wire(401, 'invalid_client', description);
  const challenge = `Basic realm="countersign", error="${answer.error}", error_description="${answer.description}"`;
  return withHeader(answer, 'WWW-Authenticate', challenge);
}

function later(status: number, description: string, seconds: number | undefined): Wire {
  const wanted = Math.ceil(seconds ?? RETRY_AFTER_SECONDS_DEFAULT) || RETRY_AFTER_SECONDS_DEFAULT;
  const wait = Math.min(Math.max(wanted, 1), RETRY_AFTER_SECONDS_MAX);
  return withHeader(
    wire(status, 'temporarily_unavailable', description),
    'Retry-After',
    String(wait),
  );
}

function unavailable(refusal: { readonly retryAfterSeconds?: number | undefined }): Wire {
  return later(
    503,
    'The authority cannot decide just now. Nothing is wrong with the request: repeat it after Retry-After.',
    refusal.retryAfterSeconds,
  );
}
