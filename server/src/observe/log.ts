/** The log: JSON lines on standard error, through pino. What may stand in a line is decided where it is written. */

import { destination, pino } from 'pino';
import type { Log } from '../ports/log.ts';

export function newLog(level: 'error' | 'warn' | 'info' | 'debug', node?: string): Log {
  return pino(
    {
      level,
      base: node === undefined ? {} : { node },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous: a line must not be lost when the process ends, and refusals are rare next to tokens.
    destination({ dest: 2, sync: true }),
  );
}
