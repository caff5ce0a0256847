/** Latencies at shares of what each subject could do in the rounds, each share round after round. Knows no table. */

import { alone } from './alone.ts';
import { spreadOf } from './figures.ts';
import type { Paced } from './fixed-rate.ts';
import type { Placement } from './machine.ts';
import { pace } from './pace.ts';
import type { Runner } from './rounds.ts';

const SHARES = [0.25, 0.5, 0.75];
/** The most that the p99 of /token at half load may be, in those of its bare server. */
export const P99_TIMES_MAX = 5;

export type AtRate = {
  readonly name: string;
  readonly beside: string;
  readonly share: number;
  readonly ratePerSecond: number;
  /** Medians of the rounds, in milliseconds from the intended time. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly lateP99Ms: number;
  /** The p99 in those of the bare server at the same share of its own capacity. */
  readonly p99Times: number;
};

export type RatesOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly placement: Placement;
};

/**
 * Measures those of `all` whose names are in `names`; the others stand still. `capacityOf` says what a runner could do; `failed` hears
 * of a rate that was more than that, which has no line then.
 */
export async function measureAtRates(
  all: readonly Runner[],
  capacityOf: (runner: Runner) => number,
  options: RatesOptions & {
    readonly names: ReadonlySet<string>;
    readonly failed: (why: string) => void;
  },
): Promise<readonly AtRate[]> {
  const runners = all.filter(({ subject }) => options.names.has(subject.name));
  const measured: Omit<AtRate, 'p99Times'>[] = [];
  for (const share of SHARES) {
    const rounds = runners.map(() => [] as Paced[]);
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [at, runner] of runners.entries()) {
        const ratePerSecond = share * capacityOf(runner);
        const turn = alone(runner, all, () => pace(runner.target, { ...options, ratePerSecond }));
        const paced = await turn.catch((error: Error) =>
          options.failed(`${runner.subject.name}: ${error.message.trim()}`),
        );
        if (paced && paced.answers > 0) rounds[at]?.push(paced);
      }
    }
    for (const [at, runner] of runners.entries()) {
      const ofRunner = rounds[at] ?? [];
      if (ofRunner.length > 0)
        measured.push(medianOf(runner, { share, capacity: capacityOf(runner), all: ofRunner }));
    }
  }
  return withTimes(measured);
}

function medianOf(
  { subject: { name, beside } }: Runner,
  of: { readonly share: number; readonly capacity: number; readonly all: readonly Paced[] },
): Omit<AtRate, 'p99Times'> {
  const median = (what: 'p50Ms' | 'p99Ms' | 'p999Ms' | 'lateP99Ms'): number =>
    spreadOf(of.all.map((paced) => paced[what])).median;
  return {
    ...{ name, beside, share: of.share, ratePerSecond: of.share * of.capacity },
    ...{ p50Ms: median('p50Ms'), p99Ms: median('p99Ms') },
    ...{ p999Ms: median('p999Ms'), lateP99Ms: median('lateP99Ms') },
  };
}

/** Adds to each what its p99 is in those of its bare server. */
export function withTimes(measured: readonly Omit<AtRate, 'p99Times'>[]): readonly AtRate[] {
  return measured.map((one) => {
    const bare = measured.find(({ name, share }) => name === one.beside && share === one.share);
    return { ...one, p99Times: one.p99Ms / (bare?.p99Ms ?? Number.NaN) };
  });
}

/** A line for each, aligned. */
export function ratesTable(all: readonly AtRate[]): string {
  const head = `${'at a fixed rate'.padEnd(20)}  load       rate/s    p50 ms    p99 ms  p99.9 ms  p99 of bare's  generator late ms`;
  const lines = all.map((one) =>
    [
      one.name.padEnd(20),
      `${Math.round(one.share * 100)} %`.padStart(6),
      Math.round(one.ratePerSecond).toLocaleString('en').padStart(11),
      ...[one.p50Ms, one.p99Ms, one.p999Ms].map((ms) => ms.toFixed(2).padStart(8)),
      one.p99Times.toFixed(1).padStart(13),
      one.lateP99Ms.toFixed(2).padStart(17),
    ].join('  '),
  );
  return [head, ...lines].join('\n');
}
