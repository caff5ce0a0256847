/** What people are told while something takes long: what is being done, now and then. */

import { systemClock } from '../system-clock.ts';
import type { MachineCall } from './command.ts';

/** After this time, and after as much again, people want to know what is going on. */
const PATIENCE_MS = 2_000;

/** Nothing for programs: who asked for JSON on no terminal gets the one document. */
export function progressOf({ args, deps }: MachineCall): (doing: string) => void {
  const { stderr } = deps;
  if (stderr.isTTY !== true && args.flag('json')) return () => {};
  let nextMs = systemClock.monotonicMs() + PATIENCE_MS;
  return (doing) => {
    if (systemClock.monotonicMs() < nextMs) return;
    nextMs = systemClock.monotonicMs() + PATIENCE_MS;
    stderr.write(`${doing.charAt(0).toUpperCase()}${doing.slice(1)} …\n`);
  };
}
