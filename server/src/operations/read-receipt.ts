/** The receipt of a change, asked for by its number: at any time, as often as wanted. */

import { ChangeRefused } from '../ports/store.ts';
import { type Done, type OperationContext, receiptOf } from './context.ts';

/** The receipt of change `sequence`; waits for nodes that have not acknowledged it. Throws `ChangeRefused`. */
export async function readReceipt(
  context: OperationContext,
  input: { readonly sequence: number },
): Promise<Done['receipt']> {
  const { sequence } = input;
  // The number alone might have been given to another change: what it stands for now is what the receipt is about.
  const { head, changeIdAtAfter: changeId } = await context.log.poll(sequence);
  if (sequence >= 1 && changeId !== undefined) {
    return await receiptOf(context, { sequence, changeId });
  }
  throw new ChangeRefused('not-found', `there is no change ${sequence}; the newest is ${head}`);
}
