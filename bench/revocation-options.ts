/** The command line of the revocation bench: what may be chosen, within which bounds. Runs nothing. */

import { parseArgs } from 'node:util';
import { wholeNumber } from './options.ts';

export const HELP = `npm run bench:revocation -- [--nodes N] [--suspensions N] [--store sqlite|postgres] [--polling] [--json FILE]

Starts real servers on one store, puts them under a modest load, suspends programs one after the other, and tells how long each
took until its receipt was there and until every node, asked right after it, had refused the program's token.
Exit code 1 when any node accepted a token after the receipt, or anything went wrong.

  --nodes N             server processes, 1 to 32 (default 3)
  --suspensions N       how many, each of a program of its own with a live token, 1 to 100000 (default 1000)
  --store KIND          sqlite: one data directory (default); postgres: a real PostgreSQL made for this run
  --polling             PostgreSQL without notifications: nodes hear of changes by asking every 100 ms
  --json FILE           also write every duration to FILE
`;

const NODES_MAX = 32;
const SUSPENSIONS_MAX = 100_000;

export type RevocationOptions = {
  readonly isHelpWanted: boolean;
  readonly nodes: number;
  readonly suspensions: number;
  readonly store: 'sqlite' | 'postgres';
  readonly isPollingOnly: boolean;
  readonly jsonFile: string | undefined;
};

/** Reads the arguments. Throws an Error that says what is expected. */
export function readRevocationOptions(args: readonly string[]): RevocationOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '3' },
      suspensions: { type: 'string', default: '1000' },
      store: { type: 'string', default: 'sqlite' },
      polling: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { store } = values;
  if (store !== 'sqlite' && store !== 'postgres') {
    throw new Error('--store must be sqlite or postgres');
  }
  if (values.polling && store === 'sqlite') {
    throw new Error('--polling is for PostgreSQL: on SQLite nodes always look at the file itself');
  }
  return {
    isHelpWanted: values.help,
    nodes: wholeNumber('--nodes', values.nodes, NODES_MAX),
    suspensions: wholeNumber('--suspensions', values.suspensions, SUSPENSIONS_MAX),
    store,
    isPollingOnly: values.polling,
    jsonFile: values.json,
  };
}
