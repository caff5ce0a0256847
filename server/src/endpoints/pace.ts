/** How often each of many may do something: some times at once, then once in a while. In bounded memory; knows not who or what. */

export type Pace = {
  /** Counts one more time of somebody; milliseconds until they may come again, 0: now. */
  waitMs(who: string, nowMs: number): number;
};

/** `atOnce` times, then one each `refillMs`; of those who came last, `rememberedMax` are remembered, some 100 bytes each. */
export function newPace(bounds: {
  readonly atOnce: number;
  readonly refillMs: number;
  readonly rememberedMax: number;
}): Pace {
  const { atOnce, refillMs, rememberedMax } = bounds;
  const counted = new Map<string, { times: number; atMs: number }>();
  return {
    waitMs: (who, nowMs) => {
      const known = counted.get(who);
      const worn = known === undefined ? 0 : (nowMs - known.atMs) / refillMs;
      const times = Math.max(0, (known?.times ?? 0) - worn) + 1;
      if (times > atOnce) return (times - atOnce) * refillMs;
      counted.delete(who);
      counted.set(who, { times, atMs: nowMs });
      for (const oldest of counted.keys()) {
        if (counted.size <= rememberedMax) break;
        counted.delete(oldest);
      }
      return 0;
    },
  };
}
