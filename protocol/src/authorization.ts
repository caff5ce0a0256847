/** Reads the Authorization header: which scheme, the token of a bearer, and credentials of Basic where those are taken. */

import { basicCredentials } from './basic.ts';
import type { Form } from './form.ts';
import { isRefusal, type Refusal, type RefusalOf, refuse } from './refusal.ts';

export type Authorization =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'other' };

/** Far above any token of ours, far below what a scan of every character would cost. */
const TOKEN_LENGTH_MAX = 4096;
/** RFC 6750 §2.1: b64token. */
const B64_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

const NONE: Authorization = Object.freeze({ scheme: 'none' });
const BASIC: Authorization = Object.freeze({ scheme: 'basic' });
const OTHER: Authorization = Object.freeze({ scheme: 'other' });

/**
 * Reads all Authorization header lines of a request. Two lines are refused, not chosen from (RFC 6750 §2). A bearer token
 * follows its scheme after exactly one space; a scheme is compared without case (RFC 9110 §11.1).
 */
export function authorizationOf(
  lines: readonly string[],
): Authorization | RefusalOf<'two-authentications' | 'malformed-token'> {
  const [line] = lines;
  if (line === undefined) return NONE;
  if (lines.length > 1) return refuse('two-authentications');
  if (line === '') return NONE;
  const space = line.indexOf(' ');
  const schemeLength = space === -1 ? line.length : space;
  if (isWord(line, schemeLength, 'basic')) return BASIC;
  if (!isWord(line, schemeLength, 'bearer')) return OTHER;
  const tokenLength = line.length - schemeLength - 1;
  if (tokenLength < 1 || tokenLength > TOKEN_LENGTH_MAX) return refuse('malformed-token');
  const token = line.slice(schemeLength + 1);
  return B64_TOKEN.test(token) ? { scheme: 'bearer', token } : refuse('malformed-token');
}

/**
 * What the Authorization header means where clients authenticate in the body only. Without body credentials, Basic is
 * told where to put them, well-formed or not: several clients try it first and then do as they are told. Beside body
 * credentials any Authorization is refused (RFC 6749 §2.3: one method a request), a bearer token too (T-35).
 */
export function refuseAuthorization(lines: readonly string[], form: Form): Refusal | undefined {
  if (lines.length === 0) return undefined;
  const authorization = authorizationOf(lines);
  const scheme = isRefusal(authorization) ? authorization.reason : authorization.scheme;
  if (scheme === 'none') return undefined;
  const authenticatesInBody =
    form.get('client_secret') !== undefined || form.get('client_assertion') !== undefined;
  if (scheme === 'two-authentications' || authenticatesInBody) return refuse('two-authentications');
  if (scheme === 'basic') return refuse('basic-not-offered');
  // A bearer token or an unknown scheme, and nothing that we take: RFC 6749 §5.2, unsupported authentication method.
  return refuse('missing-credentials');
}

/**
 * The same where Basic is taken as well: the form with the header's credentials in it, as if they had come there. Nothing is chosen
 * from: a secret in both places is refused as above, and so is another client_id in the form (RFC 6749 §2.3).
 */
export function formWithBasic(lines: readonly string[], form: Form): Form | Refusal {
  const refused = refuseAuthorization(lines, form);
  if (refused?.reason !== 'basic-not-offered') return refused ?? form;
  const credentials = basicCredentials(lines[0] ?? '');
  if (credentials === undefined) return refuse('malformed-basic');
  const { clientId, clientSecret } = credentials;
  if ((form.get('client_id') ?? clientId) !== clientId) return refuse('two-authentications');
  const inHeader = new Map([
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ]);
  return { ...form, get: (name) => inHeader.get(name) ?? form.get(name) };
}

function isWord(line: string, length: number, word: string): boolean {
  return length === word.length && line.slice(0, length).toLowerCase() === word;
}
