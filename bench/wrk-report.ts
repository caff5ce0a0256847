/** Reads what `wrk --latency` prints. Knows nothing of what was asked of whom. */

export type WrkReport = {
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx. */
  readonly badAnswers: number;
  readonly socketErrors: number;
};

const MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** The figures of one run. Throws when the text is no complete report: a figure that is missing must not count as zero. */
export function readWrkReport(text: string): WrkReport {
  const [, requests = '', length = '', unit = ''] = found(
    text,
    /(\d+) requests in ([\d.]+)(us|ms|s|m),/,
  );
  const seconds = (Number(length) * (MS[unit] ?? Number.NaN)) / 1_000;
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  return {
    requests: Number(requests),
    seconds,
    requestsPerSecond: Number(requests) / seconds,
    p50Ms: percentileMs(text, 50),
    p99Ms: percentileMs(text, 99),
    badAnswers: Number(bad?.[1] ?? 0),
    socketErrors: (errors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0),
  };
}

function percentileMs(text: string, percent: number): number {
  const [, value = '', unit = ''] = found(
    text,
    new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s|m)\\s*$`, 'm'),
  );
  return Number(value) * (MS[unit] ?? Number.NaN);
}

function found(text: string, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`wrk printed something else than a report:\n${text}`);
  return match;
}
