/** GET /.well-known/oauth-authorization-server (RFC 8414): what the environment offers, from its configuration alone. */

import { hash } from 'node:crypto';
import { metadataDocument } from '@countersign/protocol';
import { type Authority, environmentOf } from './context.ts';
import type { Answer } from './exchange.ts';
import { takesBasic } from './form.ts';

/** Bounded: a client must learn of a new scope within this time. */
const CACHED_SECONDS = 300;

/** The handler of one environment's metadata. Nothing of the request can change the answer. */
export function metadataEndpoint(authority: Authority, ordinal: number): () => Answer {
  return () => {
    const environment = environmentOf(authority, ordinal);
    const body = metadataDocument({
      issuer: environment.issuer,
      scopes: [...environment.scopes.values()].sort(),
      takesBasic: takesBasic(authority),
    });
    return {
      status: 200,
      headers: {
        'Cache-Control': `public, max-age=${CACHED_SECONDS}`,
        ETag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"`,
      },
      body,
    };
  };
}
