/** From the measurements of all rounds to what is claimed: medians, ratios within a round, floors. Pure. */

/** One measurement of one subject. */
export type Measured = {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the whole server process a request; undefined where the system does not tell. */
  readonly processorUs: number | undefined;
};

export type Subject = {
  readonly name: string;
  /** Name of the bare server that it is compared with. */
  readonly beside: string;
  /** Another's server. */
  readonly isPeer?: true;
  /** Below this ratio to the bare server the bench fails. */
  readonly floor?: number;
  /** What the ratio is meant to become. */
  readonly target?: number;
};

/** All rounds of one subject, in order. */
export type Series = { readonly subject: Subject; readonly rounds: readonly Measured[] };

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export type Figures = {
  readonly subject: Subject;
  readonly requestsPerSecond: Spread;
  /** To the bare server of the same round, so that a machine that slows down slows down both. */
  readonly ratio: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly processorUs: Spread | undefined;
};

/** Median, lowest and highest. Throws for no values: nothing measured is no result. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error('no measurement');
  const above = sorted[Math.floor(sorted.length / 2)] ?? max;
  const below = sorted[Math.ceil(sorted.length / 2) - 1] ?? min;
  return { median: (above + below) / 2, min, max };
}

/** What the rounds of each subject come to beside its bare server's. */
export function figuresOf(all: readonly Series[]): readonly Figures[] {
  return all.map(({ subject, rounds }) => {
    const bare = all.find((one) => one.subject.name === subject.beside);
    const processor = rounds.flatMap(({ processorUs }) => processorUs ?? []);
    const ratios = rounds.map(({ requestsPerSecond }, round) => {
      const beside = bare?.rounds[round];
      if (beside === undefined) throw new Error('a round without the bare server');
      return requestsPerSecond / beside.requestsPerSecond;
    });
    return {
      subject,
      requestsPerSecond: spreadOf(rounds.map((round) => round.requestsPerSecond)),
      ratio: spreadOf(ratios),
      p50Ms: spreadOf(rounds.map((round) => round.p50Ms)),
      p99Ms: spreadOf(rounds.map((round) => round.p99Ms)),
      processorUs: processor.length === 0 ? undefined : spreadOf(processor),
    };
  });
}

/** Processor time a request beside another subject's of the same round; undefined where the system does not tell. */
export function processorRatio(beside: Series, { rounds }: Series): Spread | undefined {
  const ratios = rounds.flatMap(({ processorUs }, round) => {
    const other = beside.rounds[round]?.processorUs;
    return processorUs === undefined || other === undefined ? [] : [processorUs / other];
  });
  return ratios.length === 0 ? undefined : spreadOf(ratios);
}

/** How much faster than its median round the bare server's best may be. */
const BEST_TO_MEDIAN_MAX = 1.15;

/** Whether other work on the machine slowed even the median round: told by the bare server, whose work is always the same. */
export function isBlurred(bare: Series): boolean {
  const { median, max } = spreadOf(bare.rounds.map((round) => round.requestsPerSecond));
  return max > median * BEST_TO_MEDIAN_MAX;
}

/** A sentence for each subject whose median ratio is below its floor; none: passed. */
export function belowFloor(figures: readonly Figures[]): readonly string[] {
  return figures.flatMap(({ subject, ratio }) => {
    if (subject.floor === undefined || ratio.median >= subject.floor) return [];
    return [`${subject.name}: ${ratio.median.toFixed(3)} of bare, below ${subject.floor}`];
  });
}

/**
 * What is wrong with the number of tokens on record; undefined: nothing. The load generator leaves each run with some
 * requests that it did not count.
 */
export function journalComplaint(counted: {
  readonly rows: number;
  readonly answers: number;
  readonly uncountedMax: number;
}): string | undefined {
  const { rows, answers, uncountedMax } = counted;
  if (rows >= answers && rows <= answers + uncountedMax) return undefined;
  return `${rows} tokens on record, but ${answers} were answered (and at most ${uncountedMax} more)`;
}
