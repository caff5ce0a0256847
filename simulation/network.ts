/**
 * The way between one process and the store: it delays, reorders, loses, cuts and resets. A request that is lost ends at the
 * client's deadline, its outcome unknown. Knows nothing of what is asked.
 */

import { StoreUnavailable } from '../server/src/ports/store.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export type Conditions = {
  /** Nothing comes through, either way. */
  cut: boolean;
  /** One way takes up to this long. */
  delayMsMax: number;
  /** How often a connection is reset under a request, before or after the store has seen it. */
  resets: number;
  /** Only replies are slow: they lie in a buffer somewhere. */
  replyDelayMsMax: number;
};

export const GOOD: Conditions = { cut: false, delayMsMax: 8, resets: 0, replyDelayMsMax: 0 };

/** At the store: gets the request, and may answer at once, late or never. */
export type Arrival = (answer: (reply: () => unknown) => void) => void;

export type Link = {
  readonly conditions: Conditions;
  /** Sends a request; `arrive` is what the store does with it. */
  send<T>(arrive: Arrival): Promise<T>;
  /** Sends a hint the other way, without an answer. */
  hint(run: () => void): void;
};

type Parts = { machine: Machine; timeline: Timeline; random: Random; deadlineMs: number };

export function newLink({ machine, timeline, random, deadlineMs }: Parts): Link {
  const conditions: Conditions = { ...GOOD };
  const delayMs = (): number => 0.2 + random.next() ** 3 * conditions.delayMsMax;

  const send = <T>(arrive: Arrival): Promise<T> =>
    new Promise((resolve, reject) => {
      let isOver = false;
      const settle = (how: () => void): void =>
        machine.deliver('outside', () => {
          if (isOver) return;
          isOver = true;
          how();
        });
      const fail = (why: string) => (): void => reject(new StoreUnavailable(why));
      const giveUp = (): void =>
        machine.deliver('timer', () => {
          if (isOver) return;
          isOver = true;
          fail('no answer in time')();
        });
      const reset = (): void =>
        timeline.after(delayMs(), () => settle(fail('the connection was reset')));
      timeline.after(machine.lasting(deadlineMs), giveUp);

      const isReset = random.chance(conditions.resets);
      if (isReset && random.chance(0.5)) return reset();
      if (conditions.cut && random.chance(0.5)) return reset();
      timeline.after(delayMs(), () => {
        if (conditions.cut) return;
        arrive((reply) => {
          if (isReset) return reset();
          const slowMs = random.next() * conditions.replyDelayMsMax;
          timeline.after(delayMs() + slowMs, () => {
            if (!conditions.cut) settle(() => answer(reply, { resolve, reject }));
          });
        });
      });
    });

  return {
    conditions,
    send,
    hint: (run) => {
      if (!conditions.cut) timeline.after(delayMs(), () => machine.deliver('outside', run));
    },
  };
}

function answer(
  reply: () => unknown,
  to: { resolve: (value: never) => void; reject: (error: unknown) => void },
): void {
  try {
    to.resolve(reply() as never);
  } catch (error) {
    to.reject(error);
  }
}
