/** Reads the forms of the three POST endpoints into what they ask for. Judges their shape only, never a credential. */

import type { Form } from './form.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { validResource } from './resource.ts';
import { parseScope } from './scope.ts';

export type PresentedCredentials = { readonly clientId: string; readonly clientSecret: string };

export type TokenRequest = PresentedCredentials & {
  /** Names as asked for; undefined: all that the client may have. */
  readonly scope: readonly string[] | undefined;
  readonly resources: readonly string[];
};

export type TokenQuery = PresentedCredentials & {
  readonly token: string;
  /** RFC 7662 §2.1, RFC 7009 §2.1: a hint, of no use where there is one kind of token. */
  readonly hint: string | undefined;
  /** Who presented the token, as the asking resource server says: an extension parameter (RFC 7662 §2.1). */
  readonly clientIp: string | undefined;
};

/** Reads a token request (RFC 6749 §4.4.2). */
export function parseTokenRequest(form: Form): TokenRequest | Refusal {
  const grantType = form.get('grant_type');
  if (grantType === undefined) return refuse('missing-parameter', { parameter: 'grant_type' });
  if (grantType !== 'client_credentials') return refuse('unsupported-grant');
  const credentials = presentedCredentials(form);
  if (isRefusal(credentials)) return credentials;
  const scopeText = form.get('scope');
  const scope = scopeText === undefined ? undefined : parseScope(scopeText);
  if (isRefusal(scope)) return scope;
  const resources = form.all('resource');
  if (!resources.every(validResource)) return refuse('resource-malformed');
  const { clientId, clientSecret } = credentials;
  return { clientId, clientSecret, scope, resources };
}

/** Reads an introspection (RFC 7662 §2.1) or revocation (RFC 7009 §2.1) request. */
export function parseTokenQueryForm(form: Form): TokenQuery | Refusal {
  // RFC 7662 §2.1: an unauthenticated caller is told to authenticate, before anything else.
  if (form.get('client_id') === undefined && form.get('client_secret') === undefined) {
    return refuse('missing-credentials');
  }
  const credentials = presentedCredentials(form);
  if (isRefusal(credentials)) return credentials;
  const token = form.get('token');
  if (token === undefined) return refuse('missing-parameter', { parameter: 'token' });
  const { clientId, clientSecret } = credentials;
  return {
    clientId,
    clientSecret,
    token,
    hint: form.get('token_type_hint'),
    clientIp: form.get('client_ip'),
  };
}

function presentedCredentials(form: Form): PresentedCredentials | Refusal {
  const clientId = form.get('client_id');
  if (clientId === undefined) return refuse('missing-parameter', { parameter: 'client_id' });
  const clientSecret = form.get('client_secret');
  // RFC 6749 §5.2, invalid_client: no client authentication included.
  if (clientSecret === undefined) return refuse('missing-client-secret');
  return { clientId, clientSecret };
}
