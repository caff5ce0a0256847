/** `countersign store`: the store as a whole, moved to another place or made safe after a loss. */

import { moveStore } from '../../backup/move-store.ts';
import { recoverStore } from '../../backup/recover-store.ts';
import { systemRandomness } from '../../credentials/random.ts';
import { receiptOf } from '../../operations/context.ts';
import { systemClock } from '../../system-clock.ts';
import { type Command, type MachineCall, type Output, UsageError } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { progressOf } from '../progress.ts';
import { pairs } from '../text.ts';

const COPY = ['store', 'copy'];
const TELL_INTERVAL_MS = 500;

async function copy(call: MachineCall): Promise<Output> {
  const config = call.deps.readConfig(call.flags);
  const to = config.toDatabaseUrl;
  if (to === undefined) {
    throw new UsageError(
      'give the database to move to: --to-database-url or COUNTERSIGN_TO_DATABASE_URL',
      COPY,
    );
  }
  const moved = await moveStore(config, to, { ...depsOf(call), tell: progressOf(call) });
  const { programs, clients, secrets, auditLines, tokens, incarnation, sequence } = moved;
  return {
    document: documentOf({ data: config.data, ...moved }),
    text:
      `${moved.changed ? 'Moved to the database' : 'Was moved to the database already'}; ${config.data} is closed for good.\n` +
      pairs([
        ['programs', String(programs)],
        ['clients', String(clients)],
        ['secrets', String(secrets)],
        ['audit lines', String(auditLines)],
        ['tokens on record', tokens === undefined ? undefined : String(tokens)],
        ['last change', String(sequence)],
        ['incarnation', incarnation],
      ]) +
      'Tokens and secrets go on working. Every node needs the same master key. Now: countersign serve --database-url …\n',
  };
}

async function recover(call: MachineCall): Promise<Output> {
  const config = call.deps.readConfig(call.flags);
  const keepActive = call.args.flag('keep-active');
  const { incarnation, ...committed } = await recoverStore(config, {
    ...depsOf(call),
    keepActive,
  });
  const { context, close } = await call.deps.open(config);
  try {
    const receipt = await told(call, receiptOf(context, committed));
    return changeOutput(
      { changed: committed.changed, receipt },
      {
        members: { incarnation, keepActive },
        words: `No token from before this moment opens. ${keepActive ? KEPT : SUSPENDED}`,
      },
    );
  } finally {
    await close();
  }
}

/** Nodes that the store has lost count of are waited for as long as their lease can last. */
async function told<T>(call: MachineCall, work: Promise<T>): Promise<T> {
  const tell = progressOf(call);
  const timer = setInterval(
    () => tell('waiting for every node, and for the leases of those that nobody knows of'),
    TELL_INTERVAL_MS,
  );
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

const SUSPENDED =
  'Every program is suspended and every operator removed: bring back what was lost, then reactivate and create them one by one.';
const KEPT =
  'Programs are as they were found: what was suspended or revoked in the lost commits is let in again.';

function depsOf({ deps }: MachineCall) {
  return { clock: systemClock, randomness: systemRandomness(), actor: deps.actor };
}

export const STORE_COMMANDS: readonly Command[] = [
  {
    path: COPY,
    summary: 'Move a data directory to an empty PostgreSQL. Every server must be stopped.',
    about:
      'Everything goes along: clients, secrets, keys, the audit trail byte for byte, the tokens on record. Tokens and secrets go on\n' +
      'working. Then the data directory is closed for good, so that the two are never served side by side. Cut off, it leaves the\n' +
      'data directory as it was, or is finished by repeating it. Take a backup first: it is the way back.',
    options: [
      {
        name: 'to-database-url',
        value: 'URL',
        doc: 'The empty database (COUNTERSIGN_TO_DATABASE_URL).',
      },
    ],
    examples: [
      'countersign store copy --data /var/lib/countersign --to-database-url postgres://countersign@db.bank.example/countersign',
    ],
    start: copy,
  },
  {
    path: ['store', 'recover'],
    summary: 'Make a store safe that came back without its last commits.',
    about:
      'For a promoted standby that lacked some, a disk or a virtual machine put back: what was suspended or revoked in them is live\n' +
      'again, and nobody knows which tokens were issued. As after a restore, no earlier token opens any more, programs are\n' +
      'suspended, operators removed, and no number is given out twice. Nodes that run load the new state; the receipt names them.',
    options: [
      {
        name: 'keep-active',
        doc: 'Leave programs as they are. Dangerous: what was suspended or revoked in the lost commits is let in at once.',
      },
    ],
    examples: [
      'countersign store recover --database-url postgres://countersign@db.bank.example/countersign --master-key-file master.key',
    ],
    start: recover,
  },
];
