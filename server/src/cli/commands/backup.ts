/** `countersign backup` and `countersign restore`: a whole store into one file, and a new one out of it. */

import type { Archive } from '../../backup/archive.ts';
import { restoreBackup } from '../../backup/restore-backup.ts';
import { takeBackup } from '../../backup/take-backup.ts';
import { systemRandomness } from '../../credentials/random.ts';
import { systemClock } from '../../system-clock.ts';
import type { Command, MachineCall, Output } from '../command.ts';
import { documentOf } from '../document.ts';
import { progressOf } from '../progress.ts';
import { pairs, timeText } from '../text.ts';

async function backup(call: MachineCall): Promise<Output> {
  const file = call.args.positional('FILE');
  const config = call.deps.readConfig(call.flags);
  const archive = await takeBackup(config, file, depsOf(call));
  const { masterKeyCheck } = archive.manifest;
  return {
    document: { file, ...documentOfArchive(archive) },
    text:
      `Backed up to ${file}, and read back.\n${archiveText(archive)}` +
      `The master key is not in it (check ${masterKeyCheck}): keep a copy of the key apart; ` +
      'without it this backup cannot be restored.\n',
  };
}

async function restore(call: MachineCall): Promise<Output> {
  const file = call.args.positional('FILE');
  const keepActive = call.args.flag('keep-active');
  const config = call.deps.readConfig(call.flags);
  const restored = await restoreBackup(config, file, { ...depsOf(call), keepActive });
  const { archive, incarnation, sequence } = restored;
  const place = config.databaseUrl === undefined ? config.data : 'the database';
  return {
    document: {
      ...(config.databaseUrl === undefined ? { data: config.data } : {}),
      incarnation,
      sequence,
      keep_active: keepActive,
      backup: documentOfArchive(archive),
    },
    text:
      `Restored to ${place}.\n${archiveText(archive)}` +
      `No token from before this moment opens. ${keepActive ? ACTIVE : SUSPENDED}`,
  };
}

const SUSPENDED =
  'Every program is suspended: what was revoked after the backup is live again in it.\n' +
  'Revoke that again, then: countersign program reactivate ID. Operators are removed: countersign operator create NAME\n' +
  'Approvals that waited are refused. Webhooks are switched off: countersign webhook resume ID\n';
const ACTIVE =
  'Programs are as they were in the backup:\n' +
  'a secret that was revoked after it, and a client that was suspended after it, is let in again.\n';

function depsOf(call: MachineCall) {
  return {
    clock: systemClock,
    randomness: systemRandomness(),
    actor: call.deps.actor,
    tell: progressOf(call),
  };
}

function documentOfArchive({ manifest, seal: _, ...archive }: Archive): object {
  return documentOf({ ...archive, ...manifest }) as object;
}

function archiveText({ manifest, sha256, tokens, parts, bytes }: Archive): string {
  return pairs([
    ['taken', timeText(manifest.takenAtMs)],
    ['last change', String(manifest.sequence)],
    ['programs', String(manifest.programs)],
    ['clients', String(manifest.clients)],
    ['tokens on record', String(tokens)],
    ['journal files', String(parts - 1)],
    ['bytes', String(bytes)],
    ['sha256', sha256],
  ]);
}

export const BACKUP_COMMANDS: readonly Command[] = [
  {
    path: ['backup'],
    summary: 'Back up the store into one new file, beside running servers.',
    about:
      'Of a data directory or of PostgreSQL; either can be restored to either. Nothing is stopped or held up. The master key is\n' +
      'not in the file. A copy of the file that is damaged, cut off or altered is refused by restore.',
    positionals: [{ name: 'FILE', doc: 'The file to write; it must not exist.' }],
    examples: [
      'countersign backup /backup/countersign-2026-11-22 --data /var/lib/countersign',
      'countersign backup /backup/countersign-2026-11-22 --database-url postgres://countersign@db.bank.example/countersign --master-key-file master.key',
    ],
    start: backup,
  },
  {
    path: ['restore'],
    summary: 'Restore a backup into a data directory or a database that has no store.',
    about:
      'It is not time travel: no earlier token opens any more, and programs come back suspended and without operators, since a\n' +
      'secret that was revoked after the backup is live again. Revoke again, then reactivate. With --database-url it is made\n' +
      'ready in the data directory, which needs room for it, and then copied as one transaction.\n' +
      'Webhooks are switched off, and approvals that waited are refused.',
    positionals: [{ name: 'FILE', doc: 'A file that backup wrote.' }],
    options: [
      {
        name: 'keep-active',
        doc: 'Leave programs, operators and webhooks as they were. Dangerous: secrets revoked after the backup are live at once.',
      },
    ],
    examples: [
      'countersign restore /backup/countersign-2026-11-22 --data /var/lib/countersign-new --master-key-file master.key',
    ],
    start: restore,
  },
];
