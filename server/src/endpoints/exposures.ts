/** A credential that this server itself sees in a URL is in somebody's log by now: it goes the way of every found credential. */

import type { QueryCredential } from '@countersign/protocol';
import type { Authority } from './context.ts';

/** Hands on a credential that stood in the URL of a request. The answer is the same whatever it is worth. */
export function reportExposure(
  { leaks }: Pick<Authority, 'leaks'>,
  { token, secret }: QueryCredential,
): void {
  const source = { where: 'url', isUrl: true };
  if (token !== undefined) {
    leaks.take([{ text: token, source: { ...source, actor: 'system:token-in-url' } }]);
  }
  if (secret !== undefined) {
    leaks.take([{ text: secret, source: { ...source, actor: 'system:secret-in-url' } }]);
  }
}
