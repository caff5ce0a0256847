/** Measures several subjects in turn, each alone, round after round, so that what slows the machine down slows all of them down. */

import { alone } from './alone.ts';
import type { Measured, Series, Subject } from './figures.ts';
import { load } from './load.ts';
import { type Placement, processorSeconds } from './machine.ts';
import type { Target } from './target.ts';

/** As long as V8 goes on compiling: after two seconds a tenth of the processor time is still its compiler's, after fifteen a fiftieth. */
const WARM_UP_SECONDS = 8;
/** Rounds that are this short are for figures that mean nothing. */
const TINY_SECONDS = 1;

/** What is measured: what to send, and the processes whose processor time it takes. */
export type Runner = {
  readonly subject: Subject;
  readonly target: Target;
  readonly pids: readonly number[];
};

export type RoundOptions = {
  readonly rounds: number;
  readonly seconds: number;
  /** For files that only this user can read. */
  readonly directory: string;
  readonly placement: Placement;
};

export type Ran = Series & {
  /** Good answers over all rounds and the warm-up. */
  readonly answers: number;
  /** Why another's server is out of the run: a long one must not end for that. */
  readonly failure: string | undefined;
};

/** All rounds of all runners, in the runners' order. Rejects at the first answer of ours that is not a good one. */
export async function measureInTurn(
  runners: readonly Runner[],
  options: RoundOptions,
): Promise<readonly Ran[]> {
  const ran = runners.map(({ subject }) => {
    const failure: string | undefined = undefined;
    return { subject, rounds: [] as Measured[], answers: 0, failure: failure as Ran['failure'] };
  });
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [at, runner] of runners.entries()) {
      const series = ran[at];
      if (series === undefined || series.failure !== undefined) continue;
      const isWarmUp = round === 0;
      const warmUp = options.seconds <= TINY_SECONDS ? TINY_SECONDS : WARM_UP_SECONDS;
      const seconds = isWarmUp ? warmUp : options.seconds;
      const turn = alone(runner, runners, () => measure(runner, { ...options, seconds }));
      const measured = await turn.catch((error: Error) => {
        if (runner.subject.isPeer === undefined) throw error;
        series.failure = error.message;
      });
      if (measured === undefined) continue;
      series.answers += measured.requests;
      if (!isWarmUp) series.rounds.push(measured);
    }
  }
  return ran;
}

async function measure({ target, pids }: Runner, options: RoundOptions): Promise<Measured> {
  const before = processorSeconds(pids);
  const { requests, requestsPerSecond, p50Ms, p99Ms } = await load(target, options);
  const after = processorSeconds(pids);
  const isTold = before !== undefined && after !== undefined && requests > 0;
  const processorUs = isTold ? ((after - before) * 1e6) / requests : undefined;
  return { requests, requestsPerSecond, p50Ms, p99Ms, processorUs };
}
