/** Resource indicators (RFC 8707): which URIs can name one, and which one a token is for. Compares exactly, never normalises. */

import { type RefusalOf, refuse } from './refusal.ts';

export const RESOURCE_LENGTH_MAX = 512;
/** Number that stands for a token bound to no resource. */
export const NO_RESOURCE = 0;

/** RFC 3986 §4.3, absolute-URI: a scheme, then its characters, percent escapes whole, no fragment. */
const ABSOLUTE_URI = /^[a-z][a-z0-9+.-]*:(?:[a-z0-9\-._~!$&'()*+,;=:@/?[\]]|%[0-9a-f]{2})+$/i;
/** RFC 9110 §4.2: an http(s) URI with an empty host is invalid, though URL parsers repair it. */
const WITHOUT_HOST = /^https?:(?!\/\/[^/?:])/i;

export type DeclaredResource = { readonly number: number; readonly uri: string };

/** Whether a URI can name a resource: absolute and without a fragment (RFC 8707 §2). */
export function validResource(uri: string): boolean {
  return (
    uri.length <= RESOURCE_LENGTH_MAX &&
    ABSOLUTE_URI.test(uri) &&
    !WITHOUT_HOST.test(uri) &&
    URL.canParse(uri)
  );
}

/**
 * The number of the resource that a token will be for. A client with none gets a token bound to none; with one, that one
 * is the default; with several it must say which. Comparison is exact, character by character.
 */
export function chooseResource(
  requested: readonly string[],
  allowed: readonly DeclaredResource[],
): number | RefusalOf<'resource-unknown' | 'resource-repeated' | 'resource-ambiguous'> {
  // RFC 8707 §2 allows several; by policy a token is good for one, so that no resource server can replay it at another.
  if (requested.length > 1) return refuse('resource-repeated');
  const [uri] = requested;
  if (uri === undefined) {
    return allowed.length > 1 ? refuse('resource-ambiguous') : (allowed[0]?.number ?? NO_RESOURCE);
  }
  return allowed.find((resource) => resource.uri === uri)?.number ?? refuse('resource-unknown');
}
