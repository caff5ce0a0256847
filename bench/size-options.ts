/** The command line of the bench of sizes: what may be chosen, within which bounds. Runs nothing. */

import { parseArgs } from 'node:util';
import type { Size } from './installation.ts';
import { wholeNumber } from './options.ts';

export const SIZE_HELP = `npm run bench:size -- [--clients N,N…] [--revoked N] [--journal-rows N] [--rounds N] [--seconds N] [--installed DIR] [--json FILE]

Fills installations on SQLite, starts each, and tells how long it took until the first token, how much memory stays resident, and what
becomes of the ratios to the bare server.

  --clients N,N…      how many clients, each in an installation of its own (default 100,10000; up to 5000000)
  --revoked N         one more with N revoked tokens that are still remembered (default 100000; 0: none)
  --journal-rows N    one more with N tokens on record in closed buckets, up to 100000000 (default 0: none)
  --rounds N          how often each is measured, 1 to 100 (default 5); the median counts
  --seconds N         how long each measurement takes, 1 to 600 (default 3)
  --installed DIR     measure what \`npm install\` put into DIR (default: this checkout)
  --json FILE         also write every figure to FILE
`;

const CLIENTS_MAX = 5_000_000;
const ROWS_MAX = 100_000_000;
/** The one that revoked tokens and rows are added to: the largest of those asked for up to here. */
const USUAL_CLIENTS_MAX = 10_000;

export type SizeOptions = {
  readonly isHelpWanted: boolean;
  readonly sizes: readonly Size[];
  readonly rounds: number;
  readonly seconds: number;
  readonly installedIn: string | undefined;
  readonly jsonFile: string | undefined;
};

/** Reads the arguments. Throws an Error that says what is expected. */
export function readSizeOptions(args: readonly string[]): SizeOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string', default: '100,10000' },
      revoked: { type: 'string', default: '100000' },
      'journal-rows': { type: 'string', default: '0' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      installed: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const orNone = (name: string, text: string): number =>
    text === '0' ? 0 : wholeNumber(name, text, ROWS_MAX);
  const counts = values.clients.split(',').map((n) => wholeNumber('--clients', n, CLIENTS_MAX));
  const usual = Math.max(...counts.filter((n) => n <= USUAL_CLIENTS_MAX), Math.min(...counts));
  const revoked = orNone('--revoked', values.revoked);
  const journalRows = orNone('--journal-rows', values['journal-rows']);
  const none = { journalRows: 0, revoked: 0 };
  return {
    isHelpWanted: values.help,
    sizes: [
      ...counts.map((clients) => ({ ...none, clients })),
      ...(revoked > 0 ? [{ ...none, clients: usual, revoked }] : []),
      ...(journalRows > 0 ? [{ ...none, clients: usual, journalRows }] : []),
    ],
    rounds: wholeNumber('--rounds', values.rounds, 100),
    seconds: wholeNumber('--seconds', values.seconds, 600),
    installedIn: values.installed,
    jsonFile: values.json,
  };
}
