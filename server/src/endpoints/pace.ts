/** How often each of many may do something: some times at once, then once in a while. In bounded memory; knows not who or what. */

export type Pace = {
  /** Counts one more time of somebody; milliseconds until they may come again, 0: now. */
  waitMs(who: string, nowMs: number): number;
  /** Whether one more time would be too many; counts none. */
  isSpent(who: string, nowMs: number): boolean;
};

/** `atOnce` times, then one each `refillMs`; of those who came last, `rememberedMax` are remembered, some 100 bytes each. */
export function newPace(bounds: {
  readonly atOnce: number;
  readonly refillMs: number;
  readonly rememberedMax: number;
}): Pace {
  const { atOnce, refillMs, rememberedMax } = bounds;
  const counted = new Map<string, { times: number; atMs: number }>();
  const oneMore = (who: string, nowMs: number): number => {
    const known = counted.get(who);
    const worn = known === undefined ? 0 : (nowMs - known.atMs) / refillMs;
    return Math.max(0, (known?.times ?? 0) - worn) + 1;
  };
  return {
    isSpent: (who, nowMs) => oneMore(who, nowMs) > atOnce,
    waitMs: (who, nowMs) => {
      const times = oneMore(who, nowMs);
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
