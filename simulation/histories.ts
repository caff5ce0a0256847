/** Many histories, one seed after the other, and what they came to. */

import type { Subject } from './bugs.ts';
import { type History, runHistory } from './history.ts';

export type Run = {
  readonly histories: number;
  /** The first seed; each history has the next one. */
  readonly seed: number;
  readonly nodes?: number | undefined;
  readonly subject: Subject;
  /** Stops at the first history with a broken promise. */
  readonly stopsAtFirst: boolean;
  /** Called after each history; what it returns is waited for. */
  readonly onHistory?: ((done: Outcome) => Promise<void> | void) | undefined;
};

export type Outcome = {
  readonly histories: number;
  readonly simulatedMs: number;
  readonly events: number;
  /** The histories in which a promise was broken. */
  readonly broken: readonly History[];
};

/** More tell nothing new. */
const BROKEN_MAX = 20;

export async function runHistories(run: Run): Promise<Outcome> {
  const { nodes, subject } = run;
  let done: Outcome = { histories: 0, simulatedMs: 0, events: 0, broken: [] };
  for (let seed = run.seed; seed < run.seed + run.histories; seed += 1) {
    const history = await runHistory({ seed, nodes, ...subject });
    const isBroken = history.violations.length > 0;
    done = {
      histories: done.histories + 1,
      simulatedMs: done.simulatedMs + history.simulatedMs,
      events: done.events + history.events,
      broken: isBroken ? [...done.broken, history] : done.broken,
    };
    await run.onHistory?.(done);
    if (done.broken.length >= (run.stopsAtFirst ? 1 : BROKEN_MAX)) break;
  }
  return done;
}
