/** Who does the recurring work of a store now, and when each piece was last done: a row a duty, which only spares waste. */

export type DutyRow = {
  readonly duty: string;
  readonly everyMs: number;
  /** Node that does it, or did it last. */
  readonly holder: string;
  readonly startedAtMs: number;
  /** When a run last ended well. */
  readonly endedAtMs?: number;
  /** Runs in a row that failed, and why the last one did. */
  readonly failures: number;
  readonly problem?: string;
};

export type DutyClaim = {
  readonly duty: string;
  readonly node: string;
  readonly everyMs: number;
  readonly atMs: number;
  /** How long nobody else may claim it unless the claim is extended. */
  readonly holdMs: number;
};

export type DutyEnd = {
  readonly duty: string;
  readonly node: string;
  readonly atMs: number;
  /** From when on it may be claimed again. */
  readonly freeAtMs: number;
  /** 'cut-off': the node stops, and another should begin anew. */
  readonly outcome: 'done' | 'cut-off' | { readonly problem: string };
};

/** Claims are by wall clocks of several machines, so two nodes may hold one duty: what a duty does must bear that. */
export type DutyRoster = {
  /** Failures in a row before this run; undefined: not due, or somebody else holds it. */
  claim(claim: DutyClaim): Promise<{ readonly failures: number } | undefined>;
  /** False: somebody else holds it by now. */
  extend(held: Omit<DutyClaim, 'everyMs'>): Promise<boolean>;
  end(end: DutyEnd): Promise<void>;
  list(): Promise<readonly DutyRow[]>;
};
