/** Finds the token endpoint by the authority's own metadata (RFC 8414). */

import { TokenError } from './errors.ts';
import { requireSafeUrl } from './safe-url.ts';
import { failureOf, type Send, send } from './send.ts';

/** The token endpoint of an issuer. Throws `TokenError`. */
export async function discoverTokenEndpoint(issuer: URL, options: Send): Promise<URL> {
  const response = await send(metadataUrl(issuer), {}, options);
  if (response.status !== 200) throw failureOf(response, 'the metadata of the issuer');
  const metadata = response.body;
  // RFC 8414 §3.3: else another party could answer for this issuer.
  if (metadata['issuer'] !== issuer.href && metadata['issuer'] !== withoutSlash(issuer.href)) {
    throw new TokenError('misconfigured', 'issuer: its metadata is that of another issuer');
  }
  const endpoint = metadata['token_endpoint'];
  if (typeof endpoint !== 'string') {
    throw new TokenError('misconfigured', 'issuer: its metadata names no token_endpoint');
  }
  try {
    return requireSafeUrl('token_endpoint', endpoint);
  } catch (error) {
    throw new TokenError('misconfigured', `issuer: ${(error as Error).message}`);
  }
}

/** RFC 8414 §3.1: between host and path. */
function metadataUrl(issuer: URL): URL {
  const path = withoutSlash(issuer.pathname);
  return new URL(`/.well-known/oauth-authorization-server${path}`, issuer);
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}
