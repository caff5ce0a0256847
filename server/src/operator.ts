/** Opens the store for an operator's command: no node, no lease, no listener, but the same operations on the same data. */

import type { Config } from './config.ts';
import { KeyRing } from './credentials/key-ring.ts';
import { systemRandomness } from './credentials/random.ts';
import { journalDirectory, openDataDirectory } from './data-directory.ts';
import { openJournalReader } from './journal/reader.ts';
import type { OperationContext } from './operations/context.ts';
import type { ChangeLog } from './ports/change-log.ts';
import type { EnvironmentRecord } from './ports/model.ts';
import { systemClock } from './system-clock.ts';

export type OpenedForOperator = {
  readonly context: OperationContext;
  /** Where a master key was made just now, as the data directory was new. */
  readonly newMasterKeyFile: string | undefined;
  close(): Promise<void>;
};

export async function openForOperator(config: Config, actor: string): Promise<OpenedForOperator> {
  const clock = systemClock;
  const randomness = systemRandomness();
  const { store, masterKey, newMasterKeyFile } = await openDataDirectory(config, {
    clock,
    randomness,
    actor,
  });
  const keyRing = new KeyRing(masterKey);
  await loadKeys(store.log, keyRing);
  return {
    context: {
      actor,
      changes: store,
      directory: store.directory,
      audit: store.audit,
      log: store.log,
      nodes: store.nodes,
      journal: openJournalReader({ directory: journalDirectory(config) }),
      keyRing,
      clock,
      randomness,
    },
    newMasterKeyFile,
    close: () => store.close(),
  };
}

/** Takes the keys out of a snapshot; they come first, so a large store costs no more than a small one. */
async function loadKeys(log: ChangeLog, keyRing: KeyRing): Promise<void> {
  await log.snapshot(({ facts }) => {
    const environments = new Map<number, EnvironmentRecord>();
    for (const fact of facts) {
      if (fact.is === 'environment') environments.set(fact.ordinal, fact);
      else if (fact.is !== 'key') break;
      else {
        const environment = environments.get(fact.environment);
        if (environment !== undefined) keyRing.add({ ...fact, environment });
      }
    }
  });
}
