/** One run of a task for all who want its result at the time; knows nothing of tokens. */

type Run<T> = {
  readonly result: Promise<T>;
  readonly beganMs: number;
  readonly progress: { hasEnded: boolean };
};

/** Longer than a token request takes with all its patience: an older run is joined by nobody. */
const RUN_MS_MAX = 120_000;

/**
 * The task, of which one run is under way at most. An edge runtime drops a run along with the call that it began in, be it at the end of
 * that call or because its caller has gone: what others joined then fails or never ends, and nothing of the task runs any more. Whoever
 * finds that out begins anew.
 */
export function shareRuns<T>(task: () => Promise<T>, nowMs: () => number): () => Promise<T> {
  let run: Run<T> | undefined;

  const begin = (): Run<T> => {
    const progress = { hasEnded: false };
    const result = task().finally(() => {
      progress.hasEnded = true;
      if (run?.progress === progress) run = undefined;
    });
    return { result, beganMs: nowMs(), progress };
  };

  return async () => {
    if (run !== undefined && nowMs() - run.beganMs > RUN_MS_MAX) run = undefined;
    const joined = run;
    run ??= begin();
    try {
      return await run.result;
    } catch (error) {
      // Its own failure, or that of a run which the runtime has dropped?
      if (joined === undefined || joined.progress.hasEnded) throw error;
      if (run === joined) run = undefined;
      run ??= begin();
      return await run.result;
    }
  };
}
