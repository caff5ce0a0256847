/**
 * Introspection that need not ask again: an answer counts until the stream of revocations says otherwise, and only while the stream's
 * lease runs. Without the lease every question is asked, as if nothing were remembered.
 */

import type { Introspect } from './introspection.ts';
import type { Remembered } from './remembered.ts';
import type { RevocationStream } from './revocation-stream.ts';

/** Asked again after that in any case. */
const ANSWER_MS_MAX = 60_000;

export function newRemembering(parts: {
  readonly introspect: Introspect;
  readonly remembered: Remembered;
  readonly stream: Pick<RevocationStream, 'mayDecide' | 'position'>;
  readonly nowMs: () => number;
}): Introspect {
  const { introspect, remembered, stream, nowMs } = parts;
  return async (question) => {
    const askedMs = nowMs();
    // In one synchronous step: the lease, and the answer that it covers.
    const identity = stream.mayDecide() ? remembered.get(question, askedMs) : undefined;
    if (identity !== undefined) return { standing: 'active', identity };
    const introspected = await introspect(question);
    if (introspected.standing !== 'active') return introspected;
    const { position, lifetimeMs = 0 } = introspected;
    // It must stand on the very change that was taken in last: what happened before is in it, and what happens after will be told.
    if (position !== undefined && position === stream.position()) {
      const endsMs = askedMs + Math.min(lifetimeMs, ANSWER_MS_MAX);
      remembered.put(question, introspected.identity, endsMs);
    }
    return introspected;
  };
}
