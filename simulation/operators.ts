/** What operators do: kill, revive and make, and insist until they hold a receipt. Their commits may fail, or end unknown. */

import { newClientId, newSecret } from '../server/src/credentials/identifiers.ts';
import { type Change, ChangeRefused, type Committed } from '../server/src/ports/store.ts';
import type { Desk } from './cluster.ts';
import { ENVIRONMENT, macOf, PEPPER } from './keys.ts';
import { TOKEN_LIFETIME_SECONDS } from './state.ts';
import type { Traffic } from './traffic.ts';
import type { Part } from './world.ts';

/** An operator whose commit ended unknown asks again, this often. */
const TRIES_MAX = 25;
const RETRY_MS_MAX = 400;
/** Some wait this long for a receipt and then ask for it again. */
const WAIT_MS_CHOICES = [500, 5_000, 120_000];
/** Tokens that are presented to every node once the receipt of their death is there. */
const PROBES_MAX = 3;

export type Operators = {
  /** Somebody does something, from anywhere. */
  act(): void;
  /** Carries a change out from a desk, and resolves once there is a receipt, or when it was refused. */
  carryOut(change: Change, desk: Desk): Promise<void>;
  newClient(): Change;
  /** A change that kills or revives. */
  turn(): Change;
  /** Of receipts that living processes still wait for. */
  waitingMs(): readonly number[];
};

type Waiting = { readonly desk: Desk; readonly commit: Committed; readonly sinceMs: number };

export function newOperators(part: Part & { traffic: Traffic; desks: readonly Desk[] }): Operators {
  const { world, random, traffic } = part;
  const { checker, cluster, timeline, store, code } = world;
  const waiting = new Set<Waiting>();
  const made = changesOf(part);

  const commit = async (change: Change, { connection, machine }: Desk) => {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      try {
        return await connection.commit({ change, actor: '-', atMs: machine.clock.wallMs() });
      } catch (error) {
        if (error instanceof ChangeRefused) return undefined;
        await machine.clock.sleep(random.next() * RETRY_MS_MAX);
      }
    }
    return undefined;
  };

  const receiptOf = async ({ desk, commit: committed }: Waiting) => {
    const { machine, connection, leaseMs } = desk;
    const nodes = code.seams.waiter(connection.nodes, leaseMs);
    for (;;) {
      try {
        const deps = { nodes, clock: machine.clock, sightings: desk.sightings };
        const receipt = await code.awaitReceipt(deps, committed, random.pick(WAIT_MS_CHOICES));
        if (receipt.complete) return receipt;
      } catch {
        await machine.clock.sleep(random.next() * RETRY_MS_MAX);
      }
    }
  };

  const carryOut: Operators['carryOut'] = async (change, desk) => {
    const committed = await commit(change, desk);
    if (committed === undefined) return;
    if (change.kind === 'client.create' || change.kind === 'secret.create') made.handOut(change);
    const one: Waiting = { desk, commit: committed, sinceMs: timeline.nowMs };
    waiting.add(one);
    const receipt = await receiptOf(one);
    waiting.delete(one);
    const { machine: waiter } = desk;
    const running = cluster.hosts.flatMap((host) => host.running ?? []);
    const nodes = running.flatMap(({ node }) => (node.machine.isStopped ? [] : [node]));
    checker.receipt(receipt, { commit: committed, committedMs: one.sinceMs, waiter, nodes });
    const victims = traffic
      .tokens()
      .filter(({ kills }) => kills.some(({ changeId }) => changeId === committed.changeId));
    for (const token of victims.slice(-PROBES_MAX)) traffic.probe(token);
    if (change.kind === 'secret.revoke') {
      const [dead] = traffic.credentials.filter(({ secretId }) => secretId === change.secretId);
      if (dead !== undefined) for (const at of cluster.serving()) traffic.issue(at, dead);
    }
  };

  return {
    act: () => {
      const nodes = cluster.serving().filter(({ machine }) => !machine.isStopped);
      const desk =
        nodes.length === 0 || random.chance(0.5)
          ? random.pick(part.desks)
          : random.pick(nodes).node;
      void carryOut(made.turn(), desk);
    },
    carryOut,
    newClient: made.newClient,
    turn: made.turn,
    waitingMs: () =>
      [...waiting]
        .filter(
          ({ desk, commit: { changeId } }) =>
            desk.machine.isAlive && !checker.truth.isLost(changeId),
        )
        .map(({ sinceMs }) => timeline.nowMs - sinceMs),
  };

  // The store is asked what there is: an operator would have looked.
  function changesOf({ random: draw }: Part) {
    return newChanges({ random: draw, traffic, primary: () => store.primary });
  }
}

type ChangesParts = {
  readonly random: Part['random'];
  readonly traffic: Traffic;
  readonly primary: () => Part['world']['store']['primary'];
};

/** Makes up changes, and knows the secrets that they hand out. */
function newChanges({ random, traffic, primary }: ChangesParts) {
  const secrets = new Map<string, string>();
  let made = 0;

  const newSecretOf = () => {
    made += 1;
    const secretId = `sec_${made}`;
    const secret = newSecret(random, ENVIRONMENT.tag).reveal();
    secrets.set(secretId, secret);
    const { version: pepperVersion } = PEPPER;
    return { secretId, mac: macOf(secret), pepperVersion, hint: '-' };
  };
  const newClient = (): Change => ({
    kind: 'client.create',
    clientId: newClientId(random, ENVIRONMENT.tag),
    programId: random.pick([...primary().programs.values()]).programId,
    environment: ENVIRONMENT.name,
    name: '-',
    scope: ['read'],
    resources: [],
    allowIp: [],
    tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
    resourceServer: false,
    secret: newSecretOf(),
  });

  /** What is suspended is reactivated sooner than something else is suspended: only what lives can be killed. */
  const pickSuspended = <T>(rows: readonly T[], isSuspended: (row: T) => boolean): T => {
    const suspended = rows.filter(isSuspended);
    return random.pick(suspended.length > 0 && random.chance(0.6) ? suspended : rows);
  };
  /** The ones that are live are the ones worth killing. */
  const someSecret = (): string => {
    const rows = [...primary().secrets.values()];
    const live = rows.filter(({ revoked }) => !revoked);
    return random.pick(live.length > 0 ? live : rows).secretId;
  };
  const revokeToken = (): Change => {
    const token = random.pick(traffic.tokens());
    if (token === undefined) return newClient();
    const expiresAtMs = token.claims.issuedAtMs + TOKEN_LIFETIME_SECONDS * 1_000;
    return { kind: 'token.revoke', jti: token.jti, client: token.claims.client, expiresAtMs };
  };

  const turn = (): Change => {
    const program = pickSuspended([...primary().programs.values()], ({ suspended }) => suspended);
    const client = pickSuspended(
      [...primary().clients.values()],
      ({ state }) => state === 'suspended',
    );
    const { clientId } = client;
    const what = random.next();
    if (what < 0.3) {
      return program.suspended
        ? { kind: 'program.reactivate', programId: program.programId }
        : { kind: 'program.suspend', programId: program.programId, reason: '-' };
    }
    if (what < 0.55) {
      return client.state === 'suspended'
        ? { kind: 'client.reactivate', clientId }
        : { kind: 'client.suspend', clientId, reason: '-' };
    }
    if (what < 0.65) return { kind: 'secret.create', clientId, secret: newSecretOf() };
    if (what < 0.83) {
      return { kind: 'secret.revoke', secretId: someSecret(), killTokens: random.chance(0.3) };
    }
    if (what < 0.93) return revokeToken();
    return what < 0.98 ? newClient() : { kind: 'client.delete', clientId };
  };

  return {
    newClient,
    turn,
    /** Gives the secret of a committed change to its client. */
    handOut: ({
      clientId,
      secret: created,
    }: Extract<Change, { kind: 'secret.create' | 'client.create' }>) => {
      const secretId = created?.secretId ?? '';
      const row = [...primary().secrets.values()].find((one) => one.secretId === secretId);
      const secret = secrets.get(secretId);
      // Lost in a failover between the commit and now.
      if (row === undefined || secret === undefined) return;
      const { client, ordinal: secretOrdinal } = row;
      traffic.credentials.push({ clientId, client, secretId, secretOrdinal, secret });
    },
  };
}
