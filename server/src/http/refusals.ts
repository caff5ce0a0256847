/**
 * What the HTTP layer refuses by itself, in the words of the one vocabulary where it has them; the rest concerns bytes and
 * peers, which no rule of OAuth knows.
 */

import { type ErrorCode, errorBody, type Refusal, refuse, wireOf } from '@countersign/protocol';
import type { Answer } from '../endpoints/exchange.ts';

export const TOO_LARGE = refusalAnswer(refuse('too-large'));
export const LATE = refusalAnswer(refuse('timeout'));
export const NOT_FOUND = refusalAnswer(refuse('not-found'));
export const ENCODED = refusalAnswer(refuse('unsupported-encoding'));
export const PLAIN_HTTP = refusalAnswer(refuse('plain-http'));
export const OVERLOADED = refusalAnswer(refuse('overloaded'));
export const STORE_UNAVAILABLE = refusalAnswer(refuse('store-unavailable'));
export const FAILED = refusalAnswer(refuse('internal-error'));

export const MALFORMED = own(
  400,
  'The HTTP message is malformed, or repeats a header that must stand once.',
);
export const HEADERS_TOO_LARGE = own(431, 'The request headers are too large.');
export const UNTRUSTED_PEER = own(
  403,
  'This address is not a declared proxy. Send the request to the public address of this service.',
);
export const MALFORMED_FORWARDING = own(
  400,
  'The proxy in front sent an X-Forwarded-For header that is not a list of IP addresses.',
);
/** CONNECT asks for a tunnel; no path of ours is one. */
export const NO_TUNNEL = methodNotAllowed('GET, HEAD, POST');

/** A known path, asked with a method that it does not answer. */
export function methodNotAllowed(allow: string): Answer {
  return refusalAnswer(refuse('method-not-allowed', { allow }));
}

function refusalAnswer(refusal: Refusal): Answer {
  const wire = wireOf(refusal);
  return { status: wire.status, headers: wire.headers, body: errorBody(wire) };
}

function own(status: number, description: string): Answer {
  const error: ErrorCode = 'invalid_request';
  return { status, body: errorBody({ error, description }) };
}
