/**
 * Looks for what must never stand in a URL: URLs end up in logs, histories and referrers. Reads leniently, since here a
 * malformed query is no reason to miss an exposed secret. Never throws, and takes time linear in the query.
 */

import type { Form } from './form.ts';
import { knownParameter } from './parameter.ts';
import { type Refusal, refuse } from './refusal.ts';

/** What a caller exposed by putting it into a URL. It may be anything at all, live or not. */
export type QueryCredential = {
  readonly clientId: string | undefined;
  readonly secret: string | undefined;
  readonly token: string | undefined;
};

const SECRETS = ['client_secret', 'client_assertion'] as const;
const TOKENS = ['access_token', 'token'] as const;

/** Anything but escapes of ASCII, which cannot fail to decode. All names and credentials of ours are ASCII. */
const OTHER_ESCAPE = /%(?![0-7][0-9a-f])/i;

/**
 * Refuses a query of the token, introspection or revocation endpoint that carries a credential, or a parameter that the
 * form carries too (T-31: no precedence game). Any other query is ignored: parameters count in the body only (RFC 6749 §2.3.1).
 */
export function refuseQuery(query: string, form?: Form): Refusal | undefined {
  if (query === '') return undefined;
  const values = queryValues(query);
  if (firstOf(values, SECRETS) !== undefined) return refuse('credentials-in-query');
  if (firstOf(values, TOKENS) !== undefined) return refuse('token-in-query');
  if (form === undefined) return undefined;
  for (const name of values.keys()) {
    if (name !== '' && form.has(name)) {
      return refuse('parameter-in-query-and-body', { parameter: knownParameter(name) });
    }
  }
  return undefined;
}

/** The credentials that stand in a query, so that they can be flagged or killed if they are live. */
export function credentialInQuery(query: string): QueryCredential | undefined {
  if (query === '') return undefined;
  const values = queryValues(query);
  const secret = values.get('client_secret') || undefined;
  const token = firstOf(values, TOKENS);
  if (secret === undefined && token === undefined) return undefined;
  return { clientId: values.get('client_id') || undefined, secret, token };
}

/** The access token that an API call carries in its URL (RFC 6750 §2.3), which no resource server should accept. */
export function bearerInQuery(query: string): string | undefined {
  return query === '' ? undefined : queryValues(query).get('access_token') || undefined;
}

/** The names that stand in a query. */
export function queryNames(query: string): ReadonlySet<string> {
  return new Set(queryValues(query).keys());
}

/** Names with their first value that is not empty. */
function queryValues(query: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = lenient(equals === -1 ? pair : pair.slice(0, equals));
    if (!values.get(name)) values.set(name, equals === -1 ? '' : lenient(pair.slice(equals + 1)));
  }
  return values;
}

function lenient(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  return OTHER_ESCAPE.test(spaced) ? spaced : decodeURIComponent(spaced);
}

function firstOf(
  values: ReadonlyMap<string, string>,
  names: readonly string[],
): string | undefined {
  for (const name of names) {
    const value = values.get(name);
    if (value) return value;
  }
  return undefined;
}
