/** Everything one history is made of, handed from part to part. */

import type { Checker, Timing } from './checker.ts';
import type { Cluster } from './cluster.ts';
import type { Troubles } from './health.ts';
import type { Code } from './node.ts';
import type { Random } from './random.ts';
import type { Store } from './store.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

export type World = {
  readonly timeline: Timeline;
  readonly store: Store;
  readonly checker: Checker;
  readonly troubles: Troubles;
  readonly trace: Trace;
  readonly timing: Timing;
  readonly code: Code;
  readonly cluster: Cluster;
};

/** A part draws its own randomness. */
export type Part = { readonly world: World; readonly random: Random };
