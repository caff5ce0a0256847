/** Who is disturbed by a fault, and since when not: told by the faults, read by the checker. */

import type { Health } from './checker.ts';
import type { Machine } from './machine.ts';
import type { Timeline } from './timeline.ts';

export type Disturbed = Machine | 'store';

export type Troubles = Health & {
  /** A fault begins; call what is returned when it ends. */
  begin(of: Disturbed): () => void;
  isTroubled(of: Disturbed): boolean;
  /** The machine is well from now on. */
  isWellNow(of: Machine): void;
};

export function newTroubles(timeline: Timeline): Troubles {
  const running = new Map<Disturbed, number>();
  const endedMs = new Map<Disturbed, number>();
  const isTroubled = (of: Disturbed): boolean => (running.get(of) ?? 0) > 0;
  const storeWellSinceMs = (): number | undefined =>
    isTroubled('store') ? undefined : (endedMs.get('store') ?? 0);
  return {
    isTroubled,
    begin: (of) => {
      running.set(of, (running.get(of) ?? 0) + 1);
      return () => {
        running.set(of, (running.get(of) ?? 1) - 1);
        endedMs.set(of, timeline.nowMs);
      };
    },
    isWellNow: (of) => endedMs.set(of, timeline.nowMs),
    storeWellSinceMs,
    wellSinceMs: (of) => {
      const storeMs = storeWellSinceMs();
      if (storeMs === undefined || isTroubled(of)) return undefined;
      return Math.max(storeMs, endedMs.get(of) ?? 0);
    },
  };
}
