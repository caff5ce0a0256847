/** Takes turns at the duties of a store with its other nodes: claims, runs, tells of failures, backs off. Knows no single duty. */

import type { OperationContext } from '../operations/context.ts';
import type { DutyRoster } from '../ports/duties.ts';
import type { Log } from '../ports/log.ts';
import type { Duty, DutyContext } from './duty.ts';

/** A claim that is not extended for so long is taken over. */
const HOLD_MS = 30_000;
/** The longest time between two looks at a duty, however seldom it is done. */
const TURN_MS_MAX = 60_000;
const BACK_OFF_MS_MIN = 1_000;
const BACK_OFF_MS_MAX = 5 * 60_000;
/** Turns of many nodes are spread by this part of the time between them, to either side. */
const JITTER = 0.25;
/** What is kept of an error's message. */
const PROBLEM_LENGTH_MAX = 300;

export type DutiesDeps = {
  readonly duties: readonly Duty[];
  readonly roster: DutyRoster;
  readonly node: string;
  /** What an operation is given when this actor asks for it. */
  readonly contextOf: (actor: string) => OperationContext;
  /** False while the node has no news from the store. */
  readonly mayRun: () => boolean;
  readonly report: Log;
};

/** Takes turns until it is stopped; resolves then, once what is under way has ended. Nothing it meets is thrown. */
export function startDuties(deps: DutiesDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = deps.duties.map((duty) => takeTurns(duty, deps, stopping.signal));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function takeTurns(duty: Duty, deps: DutiesDeps, stopping: AbortSignal): Promise<void> {
  const operation = deps.contextOf(`system:${duty.name}`);
  const { clock } = operation;
  const turnMs = Math.min(duty.everyMs, TURN_MS_MAX);
  let failures = 0;
  let lastClaimMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    await clock.sleep(backedOff(turnMs, failures) * jitter(operation), stopping);
    if (stopping.aborted) return;
    if (!deps.mayRun()) continue;
    try {
      const context = { ...operation, report: deps.report, end: stopping };
      const isIdle = clock.monotonicMs() - lastClaimMs < TURN_MS_MAX;
      if (isIdle && duty.isDue !== undefined && !(await duty.isDue(context))) continue;
      lastClaimMs = clock.monotonicMs();
      await claimAndRun(duty, deps, context);
      failures = 0;
    } catch (error) {
      // The store could not be asked: what a run itself meets has been told already.
      failures += 1;
      deps.report.error({ duty: duty.name, cause: (error as Error).message }, 'no turn taken');
    }
  }
}

async function claimAndRun(duty: Duty, deps: DutiesDeps, context: DutyContext): Promise<void> {
  const { roster, node, report } = deps;
  const { clock } = context;
  const startedMs = clock.wallMs();
  const held = { duty: duty.name, node, holdMs: HOLD_MS };
  const claimed = await roster.claim({ ...held, everyMs: duty.everyMs, atMs: startedMs });
  if (claimed === undefined) return;
  const holding = hold(held, deps, context);
  const problem = await duty
    .run({ ...context, end: holding.end })
    .then(() => undefined, messageOf)
    .finally(holding.release);
  const atMs = clock.wallMs();
  const end = { duty: duty.name, node, atMs };
  if (context.end.aborted) {
    return await roster.end({ ...end, freeAtMs: atMs, outcome: 'cut-off' });
  }
  if (problem === undefined) {
    // A little less than the time between turns: they would miss it by their jitter.
    const freeAtMs = startedMs + Math.floor(duty.everyMs * (1 - 2 * JITTER));
    return await roster.end({ ...end, freeAtMs, outcome: 'done' });
  }
  report.error({ duty: duty.name, cause: problem, failures: claimed.failures + 1 }, 'duty failed');
  const freeAtMs = atMs + backedOff(0, claimed.failures + 1);
  await roster.end({ ...end, freeAtMs, outcome: { problem } });
}

/** Keeps others away while the duty is done; `end` aborts when the node stops or the claim is lost. */
function hold(
  held: { readonly duty: string; readonly node: string; readonly holdMs: number },
  { roster, report }: DutiesDeps,
  { clock, end }: DutyContext,
): { readonly end: AbortSignal; readonly release: () => void } {
  const lost = new AbortController();
  const done = new AbortController();
  const extending = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(held.holdMs / 3, done.signal);
      if (done.signal.aborted) return;
      const isHeld = await roster.extend({ ...held, atMs: clock.wallMs() }).catch(() => true);
      if (isHeld) continue;
      report.warn({ duty: held.duty }, 'another node has taken the duty over');
      return lost.abort();
    }
  };
  void extending();
  return { end: AbortSignal.any([end, lost.signal]), release: () => done.abort() };
}

/** Longer with every failure, up to a bound. */
function backedOff(turnMs: number, failures: number): number {
  if (failures === 0) return turnMs;
  const backOffMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** failures);
  return Math.max(turnMs, backOffMs);
}

/** From 0.75 to 1.25. */
function jitter({ randomness }: Pick<OperationContext, 'randomness'>): number {
  return 1 - JITTER + 2 * JITTER * (randomness.bytes(2).readUInt16BE() / 0xffff);
}

function messageOf(error: unknown): string {
  return (error as Error).message.slice(0, PROBLEM_LENGTH_MAX);
}
