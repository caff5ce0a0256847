/** `countersign keys rewrap`: puts the store under another master key, which comes from a file or the environment. */

import { access } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import {
  createMasterKeyFile,
  loadMasterKey,
  type MasterKey,
} from '../../credentials/master-key.ts';
import { systemRandomness } from '../../credentials/random.ts';
import { rewrapKeys } from '../../operations/rewrap-keys.ts';
import { type Command, type MachineCall, type Output, UsageError } from '../command.ts';
import { changeOutput } from '../outputs.ts';

const PATH = ['keys', 'rewrap'];

async function rewrap({ flags, deps }: MachineCall): Promise<Output> {
  const config = deps.readConfig(flags);
  const { context, close } = await deps.open(config);
  try {
    const { master, madeFile } = await newMasterKeyOf(config);
    const { before, after, keys, ...done } = await rewrapKeys(context, { master });
    return changeOutput(done, {
      members: { masterKeyCheck: after, before, keys, madeFile },
      words:
        `Wrapped ${keys} keys anew: from now on the store opens with the new master key (check ${after}) alone. ` +
        'Keep the old one as long as backups that were made under it.',
      entries: [['made the new master key in', madeFile]],
    });
  } finally {
    await close();
  }
}

/** A file that is not there yet is made, as for a new data directory. */
async function newMasterKeyOf(
  config: Config,
): Promise<{ readonly master: MasterKey; readonly madeFile: string | undefined }> {
  const { newMasterKeyFile: file, newMasterKey: value } = config;
  if ((file === undefined) === (value === undefined)) {
    throw new UsageError(
      'give the new master key with --new-master-key-file FILE or COUNTERSIGN_NEW_MASTER_KEY: one of them',
      PATH,
    );
  }
  const random = systemRandomness();
  if (value !== undefined) {
    return { master: await loadMasterKey({ value }, { random }), madeFile: undefined };
  }
  const path = file ?? '';
  const isMissing = await access(path).then(
    () => false,
    () => true,
  );
  if (isMissing) await createMasterKeyFile(path, random);
  return {
    master: await loadMasterKey({ file: path }, { random }),
    madeFile: isMissing ? path : undefined,
  };
}

export const REWRAP_COMMAND: Command = {
  path: PATH,
  summary: 'Put the store under another master key. Every server must be stopped.',
  about:
    'Wraps every root key anew, in one transaction; no key is changed, so that tokens and secrets go on working. The present\n' +
    'master key is given as for every command, the new one here or in COUNTERSIGN_NEW_MASTER_KEY.',
  options: [
    {
      name: 'new-master-key-file',
      value: 'FILE',
      doc: 'File with the new master key; made if there is none.',
    },
  ],
  examples: [
    'countersign keys rewrap --master-key-file /etc/countersign/master.key --new-master-key-file /etc/countersign/master-2.key',
  ],
  changes: true,
  start: rewrap,
};
