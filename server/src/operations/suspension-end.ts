/** The end that a suspension is given when it begins. */

import type { OperationContext } from './context.ts';
import { requireFuture } from './input.ts';

/** A moment to come, or none. Throws `ChangeRefused`. */
export function suspensionEnd(
  { clock }: Pick<OperationContext, 'clock'>,
  untilMs: number | undefined,
): { readonly untilMs?: number } {
  return untilMs === undefined
    ? {}
    : { untilMs: requireFuture('--until', untilMs, clock.wallMs()) };
}
