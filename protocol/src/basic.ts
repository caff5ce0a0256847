/** Reads the credentials of a Basic header: its shape only, strictly. Whether Basic is taken at all is decided elsewhere. */

import { formDecoded } from './form.ts';
import type { PresentedCredentials } from './token-request.ts';

/** Three times over what a client_id and a secret of ours need, each character escaped. */
const BASIC_LENGTH_MAX = 1024;
/** RFC 9110 §11.4: the scheme in any case, one space as with a bearer token, then token68, here of base64 (RFC 7617 §2). */
const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;
/** What is left once both parts are form-encoded (RFC 6749 appendix B); nothing of ours has any other character either. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * The client_id and client_secret of a header, or undefined when it holds none. Both are form-encoded before they are joined and
 * put into base64 (RFC 6749 §2.3.1). Clients that leave that step out mean the same, as credentials are letters, digits and `_`.
 */
export function basicCredentials(line: string): PresentedCredentials | undefined {
  if (line.length > BASIC_LENGTH_MAX) return undefined;
  const pair = decodedBase64(BASIC.exec(line)?.[1] ?? '');
  if (pair === undefined || !PRINTABLE.test(pair)) return undefined;
  const colon = pair.indexOf(':');
  if (colon === -1) return undefined;
  const clientId = formDecoded(pair.slice(0, colon));
  const clientSecret = formDecoded(pair.slice(colon + 1));
  // An empty value counts as absent, as in a form (RFC 6749 §3.2): whoever sends no secret guesses none.
  return clientId && clientSecret ? { clientId, clientSecret } : undefined;
}

/** Each byte as one character; undefined when it is no base64. */
function decodedBase64(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}
