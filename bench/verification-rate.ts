/** How many checks a second a verifier makes, with many callers at once. Knows no HTTP server. */

import type { Verifier } from '../resource-server/src/index.ts';

const CALLERS = 32;
/** Checks of a caller that may be answered from memory before the process does something else. */
const UNBROKEN_MAX = 64;

/** Checks a token that must be good for some seconds. Rejects when it is refused. */
export async function checksPerSecond(
  verifier: Pick<Verifier, 'check'>,
  asked: { readonly token: string; readonly seconds: number },
): Promise<number> {
  const presented = { authorization: [`Bearer ${asked.token}`], query: '' };
  const beganMs = performance.now();
  const endMs = beganMs + asked.seconds * 1_000;
  let checks = 0;
  const call = async (): Promise<void> => {
    while (performance.now() < endMs) {
      for (let unbroken = 0; unbroken < UNBROKEN_MAX && performance.now() < endMs; unbroken += 1) {
        const verdict = await verifier.check(presented);
        if (!verdict.ok) throw new Error(`a good token was refused: ${verdict.reason}`);
        checks += 1;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return (checks * 1_000) / (performance.now() - beganMs);
}
