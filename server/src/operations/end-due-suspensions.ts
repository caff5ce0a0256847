/** Carries out the ends that suspensions were given: nobody else does, so some node asks for it every few seconds. */

import type { OperationContext } from './context.ts';

/** Suspensions ended by one change. */
const ENDED_PER_CHANGE_MAX = 1_000;

type Reads = Pick<OperationContext, 'directory' | 'clock'>;

/** Whether the time of any has come. */
export async function hasDueSuspensions(context: Reads): Promise<boolean> {
  const { directory } = context;
  return (await directory.dueSuspensions(await nowMs(context), 1)).length > 0;
}

/**
 * Ends every suspension whose time has come; tells how many. Of several nodes that try, one does it, as the change is conditional.
 * Stops between two changes when `end` is aborted.
 */
export async function endDueSuspensions(
  context: Reads & Pick<OperationContext, 'changes' | 'actor'> & { readonly end?: AbortSignal },
): Promise<number> {
  const { directory, changes, clock, actor } = context;
  const dueAtMs = await nowMs(context);
  let ended = 0;
  while (context.end?.aborted !== true) {
    const suspensions = await directory.dueSuspensions(dueAtMs, ENDED_PER_CHANGE_MAX);
    if (suspensions.length === 0) break;
    const change = { kind: 'suspension.end', suspensions, dueAtMs } as const;
    const { changed } = await changes.commit({ change, actor, atMs: clock.wallMs() });
    if (!changed) break;
    ended += suspensions.length;
  }
  return ended;
}

/** By this machine's clock and by the store's: an end that comes early would let in what should be kept out. */
async function nowMs({ directory, clock }: Reads): Promise<number> {
  return Math.min(clock.wallMs(), await directory.wallMs());
}
