/** One turn of the event loop: whether it has begun enough. Knows no request. */

import type { HttpLimits } from './limits.ts';

/** Makes the question to ask before each request that is begun. True: what comes now must wait for another turn. */
export function newTurn(
  { turnMsMax, turnRequestsMin }: Pick<HttpLimits, 'turnMsMax' | 'turnRequestsMin'>,
  nowMs: () => number,
): () => boolean {
  let begun = 0;
  let beganMs = 0;
  const end = (): void => {
    begun = 0;
  };
  return () => {
    begun += 1;
    if (begun === 1) {
      beganMs = nowMs();
      // Runs when all sockets that were ready have had their turn.
      setImmediate(end);
    }
    return begun > turnRequestsMin && nowMs() - beganMs > turnMsMax;
  };
}
