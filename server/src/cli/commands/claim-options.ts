/** The options with which a command hands a secret over by a claim instead of showing it. */

import type { ClaimOptions } from '../../operations/claim-material.ts';
import { parseTime } from '../../operations/time-input.ts';
import { type Option, type StoreCall, UsageError } from '../command.ts';

export const CLAIM_OPTIONS: readonly Option[] = [
  {
    name: 'claim',
    doc: 'Show no secret; print a one-time link for its owner, and a passphrase to send apart.',
  },
  {
    name: 'claim-expires',
    value: 'TIME',
    doc: 'When the link dies: a time, a date or 24h, 3d (default 7d, at most 30d).',
  },
  { name: 'no-passphrase', doc: 'Whoever has the link needs nothing else.' },
];

/** What was chosen; undefined: the secret is shown. */
export function claimOf(
  { context, args }: StoreCall,
  path: readonly string[],
): ClaimOptions | undefined {
  const expires = args.option('claim-expires');
  if (!args.flag('claim')) {
    if (expires === undefined && !args.flag('no-passphrase')) return undefined;
    throw new UsageError('--claim-expires and --no-passphrase go with --claim', path);
  }
  return {
    passphrase: !args.flag('no-passphrase'),
    expiresAtMs:
      expires === undefined
        ? undefined
        : parseTime('--claim-expires', expires, context.clock.wallMs()),
  };
}
