/** `countersign migrate`: brings the schema of the store up to date without serving, and says what it did. */

import { systemRandomness } from '../../credentials/random.ts';
import { migrateStore } from '../../migration.ts';
import type { Command, MachineCall, Output } from '../command.ts';

type Migrated = Awaited<ReturnType<typeof migrateStore>>;

async function migrate({ args, flags, deps }: MachineCall): Promise<Output> {
  const look = args.flag('check');
  const config = deps.readConfig(flags);
  const schema = await migrateStore(config, { randomness: systemRandomness(), look });
  return look ? checked(schema) : done(schema);
}

function done({ before, after, oldest, steps }: Migrated): Output {
  const words =
    steps.length === 0
      ? `The schema is ${after}: nothing to do.`
      : `The schema went from ${before} to ${after}: ${steps.join(', ')}.`;
  return {
    document: { before, after, oldest, changed: steps.length > 0, steps },
    text: `${words} ${whoMayGoOn(oldest)}\n`,
  };
}

function checked({ before, after, oldest, steps }: Migrated): Output {
  const isCurrent = steps.length === 0;
  return {
    document: { schema: before, wanted: after, oldest, current: isCurrent, steps },
    text: isCurrent
      ? `The schema is ${before}: nothing to do. ${whoMayGoOn(oldest)}\n`
      : `The schema is ${before}, and would become ${after}: ${steps.join(', ')}. ${whoMayGoOn(oldest)}\n`,
    ...(isCurrent ? {} : { complaint: 'the schema is not up to date: run countersign migrate' }),
  };
}

function whoMayGoOn(oldest: number): string {
  return `Servers that know schema ${oldest} or a later one may go on.`;
}

export const MIGRATE_COMMAND: Command = {
  path: ['migrate'],
  summary: 'Bring the schema of the store up to date, beside running servers.',
  about:
    'Servers of the version before go on meanwhile. It needs no master key and serves nothing. With --check it\n' +
    'changes nothing, says what it would do, and exits with 1 if that is anything.',
  options: [{ name: 'check', doc: 'Only say what would be done.' }],
  examples: [
    'countersign migrate --database-url postgres://countersign@db.bank.example/countersign',
    'countersign migrate --check --json',
  ],
  start: migrate,
};
