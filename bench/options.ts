/** The command line of the bench: what may be chosen, within which bounds. Runs nothing. */

import { parseArgs } from 'node:util';

export const HELP = `npm run bench -- [--rounds N] [--seconds N] [--all | --peers --variants --rates --syncs] [--json FILE] [--plot FILE] [--against DIR]

Measures POST /token, POST /introspect and GET /verify beside bare node:http servers, in turn, on this machine.
Exit code 1 when a ratio is below its floor or anything went wrong.

  --rounds N      how often each is measured, 1 to 100 (default 5); the median counts
  --seconds N     how long each measurement takes, 1 to 600 (default 3)
  --peers         other servers in the same rounds, installed into bench/peers at first use
  --variants      Countersign on PostgreSQL, with two workers, and without its syncs, in the same rounds
  --rates         also latencies at a quarter, half and three quarters of what each could do
  --syncs         also how often the disk is asked for a sync under load (strace)
  --all           all four
  --json FILE     also write every figure to FILE
  --plot FILE     also draw the ratios as an SVG
  --against DIR   measure the checkout in DIR as well, or what is installed there, in the same rounds: before and after side by side
`;

const ROUNDS_MAX = 100;
const SECONDS_MAX = 600;

export type Options = {
  readonly isHelpWanted: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly peers: boolean;
  readonly variants: boolean;
  readonly rates: boolean;
  readonly syncs: boolean;
  readonly jsonFile: string | undefined;
  readonly plotFile: string | undefined;
  readonly againstDirectory: string | undefined;
};

/** Reads the arguments. Throws an Error that says what is expected. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      peers: { type: 'boolean', default: false },
      variants: { type: 'boolean', default: false },
      rates: { type: 'boolean', default: false },
      syncs: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      json: { type: 'string' },
      plot: { type: 'string' },
      against: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    isHelpWanted: values.help,
    rounds: wholeNumber('--rounds', values.rounds, ROUNDS_MAX),
    seconds: wholeNumber('--seconds', values.seconds, SECONDS_MAX),
    peers: values.peers || values.all,
    variants: values.variants || values.all,
    rates: values.rates || values.all,
    syncs: values.syncs || values.all,
    jsonFile: values.json,
    plotFile: values.plot,
    againstDirectory: values.against,
  };
}

/** Reads a whole number from 1 to `max`. Throws an Error that says so. */
export function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 1 to ${max}`);
}
