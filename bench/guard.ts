/** Whether Countersign has become much slower than what is published, in ratios to the bare server alone. Needs no program but Node. */

import type { Placement } from './machine.ts';
import { processorSeconds } from './machine.ts';
import { pace } from './pace.ts';
import { publishedRatio } from './published.ts';
import type { Runner } from './rounds.ts';

/** What is left of a published ratio when a regression is beyond doubt. */
const SLACK = 0.4;
const SECONDS = 1;

/** The best of several loads: on a busy machine it alone tells the cost. */
type Best = { requestsPerSecond: number; processorUs: number | undefined };
export type Bests = Map<string, Best>;

/** One more load on each, in turn. */
export async function sample(
  runners: readonly Runner[],
  bests: Bests,
  placement: Placement,
): Promise<void> {
  for (const { subject, target, pids } of runners) {
    const before = processorSeconds(pids);
    const { answers, seconds } = await pace(target, { placement, seconds: SECONDS });
    // A machine that gave it no time at all tells nothing.
    if (answers === 0) continue;
    const used = (processorSeconds(pids) ?? Number.NaN) - (before ?? Number.NaN);
    const best = bests.get(subject.name);
    bests.set(subject.name, {
      requestsPerSecond: Math.max(best?.requestsPerSecond ?? 0, answers / seconds),
      processorUs: Number.isNaN(used)
        ? undefined
        : Math.min(best?.processorUs ?? Number.POSITIVE_INFINITY, (used * 1e6) / answers),
    });
  }
}

/** A sentence for each ratio that is below the slack; none: passed. */
export function regressions(runners: readonly Runner[], bests: Bests): readonly string[] {
  return runners.flatMap(({ subject: { name, beside } }) => {
    if (name === beside) return [];
    const [own, bare] = [bests.get(name), bests.get(beside)];
    if (own === undefined || bare === undefined) return [`${name} was not measured`];
    const limit = publishedRatio(name) * SLACK;
    // Beside other work one of them may look bad by accident; of a real regression both tell.
    const inTime = (bare.processorUs ?? 0) / (own.processorUs ?? 1);
    const ratio = Math.max(inTime, own.requestsPerSecond / bare.requestsPerSecond);
    if (ratio >= limit) return [];
    return [`${name}: ${ratio.toFixed(3)} of ${beside}, below ${limit.toFixed(3)}`];
  });
}
