/** Work that is asked for more often than it is done: one run at a time, and one more after whatever was asked meanwhile. */

export type OneAtATime = {
  /** Sees to it that a run begins after this call. */
  ask(): void;
  /** Resolves once no run is under way. */
  idle(): Promise<void>;
};

/** `work` must not reject: nobody would hear it. */
export function oneAtATime(work: () => Promise<void>): OneAtATime {
  let isAsked = false;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    do {
      isAsked = false;
      await work();
      // Read in the same step as the end is told: whoever asks in between would be answered by a run that is over.
    } while (isAsked);
    running = undefined;
  };
  return {
    ask: () => {
      isAsked = true;
      running ??= run();
    },
    idle: async () => running,
  };
}
