/** Opens the store for an operator's command: no node, no lease, no listener, but the same operations on the same data. */

import { adminIssuerOf, type Config } from './config.ts';
import { KeyRing } from './credentials/key-ring.ts';
import { systemRandomness } from './credentials/random.ts';
import { openData } from './database.ts';
import { newDeliveries } from './deliveries/deliveries.ts';
import type { OperationContext } from './operations/context.ts';
import type { EnvironmentRecord } from './ports/model.ts';
import { portsOf, type Store } from './stores/store.ts';
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
  const { store, journal, masterKey, newMasterKeyFile } = await openData(config, {
    clock,
    randomness,
    actor,
  });
  const keyRing = new KeyRing(masterKey);
  await loadKeys(store, keyRing);
  return {
    context: {
      actor,
      ...portsOf(store),
      deliveries: newDeliveries(),
      replication: store.replication,
      journal: journal.reader,
      keyRing,
      clock,
      randomness,
      adminIssuer: adminIssuerOf(config),
    },
    newMasterKeyFile,
    close: () => store.close(),
  };
}

async function loadKeys(store: Store, keyRing: KeyRing): Promise<void> {
  const environments = new Map<number, EnvironmentRecord>();
  for (const fact of await store.rootKeys()) {
    if (fact.is === 'environment') environments.set(fact.ordinal, fact);
    if (fact.is !== 'key') continue;
    const environment = environments.get(fact.environment);
    if (environment !== undefined) keyRing.add({ ...fact, environment });
  }
}
