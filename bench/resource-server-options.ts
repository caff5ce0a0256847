/** The command line of the bench of resource servers: what may be chosen, within which bounds. Runs nothing. */

import { parseArgs } from 'node:util';
import { wholeNumber } from './options.ts';

export const HELP = `npm run bench:resource-server -- [--rounds N] [--seconds N] [--suspensions N] [--json FILE]

Measures on one real authority, in turn: the guard of each framework beside the same handler without it; checks a second that
remember and that ask; and how long after the receipt of a suspension a subscribed API refuses.
Exit code 1 when a request that began after its receipt was accepted, or anything went wrong.

  --rounds N        how often each is measured, 1 to 100 (default 5); the median counts
  --seconds N       how long each measurement takes, 1 to 600 (default 3)
  --suspensions N   how many, each of a program of its own whose token is being used, 1 to 10000 (default 200)
  --json FILE       also write every figure to FILE
`;

const ROUNDS_MAX = 100;
const SECONDS_MAX = 600;
const SUSPENSIONS_MAX = 10_000;

export type ResourceServerOptions = {
  readonly isHelpWanted: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly suspensions: number;
  readonly jsonFile: string | undefined;
};

/** Reads the arguments. Throws an Error that says what is expected. */
export function readResourceServerOptions(args: readonly string[]): ResourceServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      suspensions: { type: 'string', default: '200' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    isHelpWanted: values.help,
    rounds: wholeNumber('--rounds', values.rounds, ROUNDS_MAX),
    seconds: wholeNumber('--seconds', values.seconds, SECONDS_MAX),
    suspensions: wholeNumber('--suspensions', values.suspensions, SUSPENSIONS_MAX),
    jsonFile: values.json,
  };
}
