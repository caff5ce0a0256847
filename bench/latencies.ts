/** From single durations to what is claimed of them: percentiles and a picture of the distribution. Pure. */

export type Latencies = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** Upper bounds in milliseconds, each about twice the one before; the last bar has none. */
const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const BAR_WIDTH_MAX = 40;

/** Nearest-rank percentiles: each is a duration that was measured. Throws for none: nothing measured is no result. */
export function latenciesOf(durationsMs: readonly number[]): Latencies {
  const sorted = durationsMs.toSorted((one, other) => one - other);
  const at = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    if (value === undefined) throw new Error('no measurement');
    return value;
  };
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** A bar for each range of durations, from the first that holds any to the last. */
export function histogramOf(durationsMs: readonly number[]): string {
  const counts = [...BOUNDS_MS, Number.POSITIVE_INFINITY].map(
    (bound, index, bounds) =>
      durationsMs.filter((ms) => ms < bound && ms >= (bounds[index - 1] ?? 0)).length,
  );
  const most = Math.max(...counts);
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return counts
    .map((count, index) => {
      const bound = BOUNDS_MS[index];
      const range = bound === undefined ? `   ≥ ${BOUNDS_MS.at(-1)} ms` : `   < ${bound} ms`;
      const bar = '█'.repeat(Math.ceil((count / most) * BAR_WIDTH_MAX));
      return `${range.padEnd(14)}${String(count).padStart(6)}  ${bar}`.trimEnd();
    })
    .slice(first, last + 1)
    .join('\n');
}

/** One line of a table. */
export function latencyLine(name: string, { p50Ms, p99Ms, maxMs }: Latencies): string {
  const cells = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1).padStart(9));
  return `${name.padEnd(34)}${cells.join('')}`;
}

export const LATENCY_HEAD = `${''.padEnd(34)}   p50 ms   p99 ms   max ms`;
