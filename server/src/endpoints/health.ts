/** GET /health/live and /health/ready: for whoever restarts a process and whoever sends it requests. */

import type { Authority } from './context.ts';
import type { Answer } from './exchange.ts';

/** The process answers; restarting it would not help anything. */
export function live(): Answer {
  return { status: 200, body: '{"status":"live"}' };
}

/** The node may decide: its lease runs. */
export function readyEndpoint(authority: Pick<Authority, 'follower'>): () => Answer {
  return () =>
    authority.follower.mayDecide()
      ? { status: 200, body: '{"status":"ready"}' }
      : {
          status: 503,
          headers: { 'Retry-After': '1' },
          body: '{"status":"not ready","reason":"no news from the store: the lease has run out"}',
        };
}
