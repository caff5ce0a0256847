/** Puts a running node together: store, keys, replica, journal and what the endpoints need of them. Nothing listens yet. */

import { adminIssuerOf, baseUrlOf, type Config } from './config.ts';
import { KeyRing } from './credentials/key-ring.ts';
import type { OpenedData } from './data-directory.ts';
import { newDeliveries } from './deliveries/deliveries.ts';
import { newAdmission } from './endpoints/admission.ts';
import { newBackground } from './endpoints/background.ts';
import type { Authority } from './endpoints/context.ts';
import { newLeakDesk } from './endpoints/leak-desk.ts';
import { workOnLeaks } from './endpoints/leaked-credentials.ts';
import { newQuotas } from './endpoints/quotas.ts';
import { newRecordChecks } from './endpoints/record-checks.ts';
import { newRefusing } from './endpoints/refusing.ts';
import { newReportAdmission } from './endpoints/report-admission.ts';
import { newSecretMoves } from './endpoints/secret-moves.ts';
import { newSecretUses } from './endpoints/secret-uses.ts';
import { newFollowing, rowOf } from './following.ts';
import type { OperationContext } from './operations/context.ts';
import { openOperators } from './operations/operators.ts';
import { signingKeyOf } from './operations/signing-key.ts';
import type { Clock, Randomness } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import { OPERATORS } from './ports/model.ts';
import { awaitReceipt, newSightings } from './replica/receipt.ts';
import { newSubscriberRow } from './replica/subscriber-row.ts';
import { newSubscriptions, SUBSCRIBER_LEASE_MS } from './replica/subscriptions.ts';
import { portsOf } from './stores/store.ts';

/** What a node changes before it starts. */
const SETTING_UP = 'system:configuration';
/** Whoever changes something over HTTP waits this long for the receipt; then it is told to ask again. */
const REVOCATION_WAIT_MS = 5_000;

export type Node = {
  readonly authority: Authority;
  readonly node: string;
  /** What an operation is given when this actor asks this node for it. */
  contextOf(actor: string): OperationContext;
  /** Registers, loads the replica, and resolves once the node may decide. */
  start(): Promise<void>;
  /** Stops deciding, leaves the registry, commits what is under way and closes the store. */
  stop(): Promise<void>;
};

export type Parts = {
  readonly config: Config;
  readonly data: OpenedData;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
};

export async function newNode(parts: Parts): Promise<Node> {
  const { config, data, clock, randomness, log } = parts;
  const { store } = data;
  const { node, slot } = store.takeNode();
  const adminIssuer = adminIssuerOf(config);
  await setUp(parts);
  const registered = {
    nodes: store.nodes,
    clock,
    node: rowOf(node, `${config.listen.host}:${config.listen.port}`),
    onFailure: (step: string, error: unknown) =>
      log.error({ step, cause: (error as Error).message }, 'no news from the store'),
  };
  const { replica, keyRing, open, credentials, follower } = newFollowing({
    ...registered,
    log: store.log,
    masterKey: data.masterKey,
    leaseMs: config.leaseMs,
    onReset: () => {
      subscriberRow.reset();
      subscriptions.reset();
    },
    onChanged: (change) => subscriptions.changed(change),
  });
  const subscriptions = newSubscriptions({
    replica: () => replica,
    grantMs: () =>
      Math.min(SUBSCRIBER_LEASE_MS, follower.leaseRemainingMs(), subscriberRow.remainingMs()),
    onSettled: () => subscriberRow.acknowledgeSoon(),
    ...{ clock, randomness },
  });
  const subscriberRow = newSubscriberRow({
    ...registered,
    follower: () => follower,
    replica: () => replica,
    subscriptions: () => subscriptions,
  });
  const journal = await data.journal.open({
    slot,
    onTrouble: (message) => log.error({ cause: message }, 'trouble in the journal'),
  });
  const sightings = newSightings();
  const authority: Authority = {
    replica,
    follower,
    credentials,
    keyRing,
    open,
    journal,
    changes: store,
    receipt: (change) =>
      awaitReceipt({ nodes: store.nodes, clock, sightings }, change, REVOCATION_WAIT_MS),
    admission: newAdmission(),
    refusing: newRefusing({ key: () => keyRing.requestIdKey(), clock, log, changes: store }),
    leaks: newLeakDesk({ work: (leaks) => workOnLeaks(authority, leaks), clock, log }),
    reportAdmission: newReportAdmission(),
    directory: store.directory,
    background: newBackground(log),
    secretMoves: newSecretMoves({ keyRing, changes: store, credentials }),
    quotas: newQuotas({
      node,
      changes: store,
      clientIdOf: (ordinal) => replica.clients.clientId(ordinal),
      log,
      clock,
    }),
    secretUses: newSecretUses({ changes: store, clock }),
    ...{ subscriptions, subscriberRow },
    recordChecks: newRecordChecks({
      journal: data.journal.reader,
      clientIdOf: (ordinal) => replica.clients.clientId(ordinal),
      delayMs: data.journal.indexedAfterMs,
      ...{ clock, randomness, log },
    }),
    clock,
    randomness,
    log,
  };
  return {
    authority,
    node,
    contextOf: (actor) => ({
      actor,
      ...portsOf(store),
      deliveries: newDeliveries(),
      journal: data.journal.reader,
      ...{ keyRing, clock, randomness, adminIssuer, sightings },
      replica: async () => {
        await follower.catchUp();
        return replica;
      },
    }),
    start: () => follower.start(),
    stop: async () => {
      await subscriberRow.stop();
      await authority.leaks.stop();
      await authority.quotas.stop();
      await authority.recordChecks.stop();
      await journal.close();
      await authority.secretUses.stop();
      await authority.refusing.stop();
      await follower.stop();
      await store.close();
    },
  };
}

/** What a store of an earlier version, or a new one, lacks: made before the node starts. */
async function setUp({ config, data, clock, randomness }: Parts): Promise<void> {
  const { directory, checkpoints } = data.store;
  const context = {
    ...{ changes: data.store, directory, checkpoints, clock, randomness },
    adminIssuer: adminIssuerOf(config),
    keyRing: new KeyRing(data.masterKey),
    actor: SETTING_UP,
  };
  await openOperators(context);
  await configureIssuers(config, data, clock);
  await signingKeyOf(context);
}

/** Issuers follow the configuration, as an audited change: tools on the same store read them from there. */
async function configureIssuers(config: Config, data: OpenedData, clock: Clock): Promise<void> {
  for (const environment of await data.store.directory.environments()) {
    const configured = config.environments.find(({ name }) => name === environment.name);
    const issuer =
      environment.name === OPERATORS.environment
        ? adminIssuerOf(config)
        : (configured?.issuer ?? `${baseUrlOf(config)}/${environment.name}`);
    if (issuer === environment.issuer) continue;
    await data.store.commit({
      change: { kind: 'environment.configure', environment: environment.name, issuer },
      actor: SETTING_UP,
      atMs: clock.wallMs(),
    });
  }
}
