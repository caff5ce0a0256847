/** The receipt of a change, asked for by its number: at any time, as often as wanted. */

import { ChangeRefused } from '../ports/store.ts';
import { type Done, type OperationContext, receiptOf } from './context.ts';

/** The receipt of change `sequence`; waits for nodes that have not acknowledged it. Throws `ChangeRefused`. */
export async function readReceipt(
  context: OperationContext,
  input: { readonly sequence: number },
): Promise<Done['receipt']> {
  const { sequence } = input;
  const { head } = await context.log.poll(sequence);
  if (sequence >= 1 && sequence <= head) return await receiptOf(context, sequence);
  throw new ChangeRefused('not-found', `there is no change ${sequence}; the newest is ${head}`);
}
