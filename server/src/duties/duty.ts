/** What a duty is: recurring work that some node of a store does, whichever comes first. Knows no single duty. */

import type { OperationContext } from '../operations/context.ts';
import type { Log } from '../ports/log.ts';

export type DutyContext = OperationContext & {
  /** Aborted when the node stops, or another node holds the duty by now: end soon, half-way if need be. */
  readonly end: AbortSignal;
  readonly report: Log;
};

/**
 * Several nodes may do it at once, and one may be cut off half-way: whatever it changes must be conditional on what it saw, so that
 * doing it again does nothing.
 */
export type Duty = {
  /** It acts as `system:NAME`. */
  readonly name: string;
  /** About how often it is done; at any one time, by one node. */
  readonly everyMs: number;
  /** A cheap look whether there is anything to do; without it, every turn is taken. Once a minute a turn is taken anyway. */
  readonly isDue?: (context: DutyContext) => Promise<boolean>;
  readonly run: (context: DutyContext) => Promise<void>;
};
