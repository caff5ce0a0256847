import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openToken } from './credentials/access-token.ts';
import type { OperationContext } from './operations/context.ts';
import { retireLeakedKey } from './operations/retire-key.ts';
import { newDataDirectory } from './testing/data.ts';
import {
  assertNothingAccepted,
  envOf,
  type Node,
  pause,
  reactivate,
  suspend,
  tellIn,
  tokenOf,
  until,
  type World,
  watch,
  withNodes,
} from './testing/nodes-on-database.ts';
import { asOperator, type Onboarded, onboard, requestToken } from './testing/onboarding.ts';
import { assertMaySkip } from './testing/postgres.ts';
import { type PostgresPair, preparePairs, type Server } from './testing/postgres-pair.ts';
import { startServer } from './testing/running-server.ts';

/** As short as a lease may be, so that waiting for one does not take long. */
const LEASE_MS = 1_000;
/** Long enough that a node still decides by it when the standby has been promoted. */
const LONG_LEASE_MS = 5_000;

/** Ordinal of the environment that the tests' clients are in. */
const SANDBOX = 1;

const newPair = await preparePairs();
if (typeof newPair === 'string') assertMaySkip(newPair);
const options = typeof newPair === 'string' ? { skip: newPair } : {};

async function withPair(
  body: (world: World, two: [Node, Node], pair: PostgresPair) => Promise<void>,
  leaseMs = LEASE_MS,
): Promise<void> {
  assert.ok(typeof newPair !== 'string');
  const pair = await newPair();
  try {
    const settings = { databaseUrl: pair.primary.url, count: 2, leaseMs };
    await withNodes(settings, (world) => body(world, world.nodes as [Node, Node], pair));
  } catch (error) {
    const said = [`primary:\n${pair.primary.lastLines()}`, `standby:\n${pair.standby.lastLines()}`];
    console.error(said.join('\n'));
    throw error;
  } finally {
    await pair.stop();
  }
}

const asOperatorOn = <T>(server: Server, body: (context: OperationContext) => Promise<T>) =>
  asOperator(newDataDirectory(), body, envOf(server.url));

const isSuspended = async (context: OperationContext, { programId }: Onboarded) =>
  (await context.directory.programs({ programId }))[0]?.suspended;

/** The promotions that the store has noticed, and whether it waits for leases that it may have lost. */
async function promotionsOf({ audit, nodes }: OperationContext) {
  const lines = await audit.lines({ action: 'store.promote', limit: 10 });
  const lost = (await nodes.list()).filter(({ node }) => node.startsWith('lost:')).length;
  return lines.map(({ detail }) => ({ synchronous: detail['synchronous'], lost }));
}

/** The tokens of a client that are on record. */
async function recordsOf(context: OperationContext, { clientId }: Onboarded): Promise<Set<string>> {
  const [client] = await context.directory.clients({ clientId });
  const query = { client: client?.ordinal ?? 0, sinceMs: 0, limit: 100_000 };
  const records = await context.journal.list(query);
  return new Set(records.map(({ jti }) => Buffer.from(jti).toString('base64url')));
}

function jtiOf({ keyRing }: OperationContext, token: string): string {
  const opened = openToken(token, keyRing.tokenKeys(SANDBOX));
  return opened.ok ? opened.jti : 'none';
}

test(
  'when the primary dies, its synchronous standby has every token that was handed out and every suspension that was acknowledged',
  options,
  () =>
    withPair(async (world, nodes, pair) => {
      const { context, leaked, bystander } = world;
      const tell = tellIn(world);
      await pair.synchronise();
      const token = await tokenOf(nodes[0], leaked);
      assert.equal((await suspend(context, leaked)).confirmed.length, 2);
      const receiptMs = performance.now();
      const ofKilled = nodes.map((node) => watch(() => tell(node, token)));
      const handedOut: string[] = [];
      const load = nodes.map((node) =>
        watch(async () => {
          const given = await requestToken(node.server.url, bystander);
          if (given !== undefined) handedOut.push(given);
          return given === undefined ? 'none' : 'a token';
        }),
      );
      while (handedOut.length < 40) await pause(5);
      await pair.primary.kill();
      await pair.promote();
      for (const { way } of nodes) way.moveTo(pair.standby.port);
      for (const node of nodes) await until('active', () => tell(node, handedOut[0] as string));
      const movedMs = performance.now();
      for (const witness of load) await witness.after(movedMs);
      for (const witness of ofKilled) await assertNothingAccepted(witness, receiptMs);
      await asOperatorOn(pair.standby, async (promoted) => {
        assert.equal(await isSuspended(promoted, leaked), true);
        const noticed = async () => JSON.stringify(await promotionsOf(promoted));
        await until('[{"synchronous":true,"lost":0}]', noticed);
        const known = await recordsOf(promoted, bystander);
        const missing = handedOut.filter((one) => !known.has(jtiOf(promoted, one)));
        assert.deepEqual(missing, []);
        for (const node of nodes) assert.equal(await tell(node, token), 'inactive');
      });
    }),
);

test(
  'an old primary that still answers some nodes completes no commit, so they refuse; a commit taken back there counts as none',
  options,
  () =>
    withPair(async (world, [left, moved], pair) => {
      const { context, leaked, bystander } = world;
      const tell = tellIn(world);
      await pair.synchronise();
      const [token, lasting] = [await tokenOf(left, leaked), await tokenOf(left, bystander)];
      assert.equal(await tell(left, lasting), 'active');
      await pair.promote();
      moved.way.moveTo(pair.standby.port);
      // An administrator who sees commits hang there and cancels them: what they wrote is visible there, and confirmed by nobody.
      const cancelling = cancelWaits(pair.primary);
      try {
        const witnesses = [left, moved].map((node) => watch(() => tell(node, token)));
        const taken = suspend(context, bystander);
        await assert.rejects(taken, { message: /a standby has not confirmed|outcome is unknown/ });
        assert.equal(await isSuspended(context, bystander), true, 'the old primary shows it');

        await asOperatorOn(pair.standby, async (promoted) => {
          const receipt = await suspend(promoted, leaked);
          const receiptMs = performance.now();
          assert.equal(receipt.complete, true);
          assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
          for (const witness of witnesses) await assertNothingAccepted(witness, receiptMs);
          assert.equal(await tell(left, lasting), 'unavailable');
          await until('active', () => tell(moved, lasting));
          assert.equal(await isSuspended(promoted, bystander), false);

          // The change of the same number is another one here: the node forgets what it has heard there.
          assert.ok((await cancelling.stop()) > 0);
          left.way.moveTo(pair.standby.port);
          await until('active', () => tell(left, lasting));
          assert.equal(await tell(left, token), 'inactive');
          assert.equal((await reactivate(promoted, leaked)).confirmed.length, 2);
          assert.equal(await tell(left, await tokenOf(left, leaked)), 'active');
        });
      } finally {
        await cancelling.stop();
      }
    }),
);

/** Cancels each commit that waits for a standby, over and over, as an administrator who connects again when a connection breaks. */
function cancelWaits(server: Server): { stop(): Promise<number> } {
  let isDone = false;
  let cancelled = 0;
  const working = (async () => {
    while (!isDone) {
      const asking = server.ask(
        "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'",
      );
      cancelled += await asking.then(
        ({ length }) => length,
        () => 0,
      );
      await pause(10);
    }
  })();
  return {
    stop: async () => {
      isDone = true;
      await working;
      return cancelled;
    },
  };
}

test(
  'after a promotion that lost changes, nodes drop what they heard of them; what was killed before stays dead; retired keys make up for the rest',
  options,
  () =>
    withPair(async (world, nodes, pair) => {
      const { context, leaked, bystander } = world;
      const tell = tellIn(world);
      const killed = await tokenOf(nodes[0], leaked);
      const lost = await tokenOf(nodes[0], bystander);
      await suspend(context, leaked);
      await pair.caughtUp();
      // The standby follows no more, and nobody minds: it is asynchronous.
      pair.replication.blackhole();
      assert.equal((await suspend(context, bystander)).confirmed.length, 2);
      await reactivate(context, bystander);
      const unrecorded = await tokenOf(nodes[0], bystander);
      const stranger = await onboard(context);
      const ofStranger = await tokenOf(nodes[1], stranger);
      for (const node of nodes) assert.equal(await tell(node, lost), 'inactive');
      const { head: gone } = await context.log.poll(0);
      await pair.primary.kill();
      const diedMs = performance.now();
      const ofKilled = nodes.map((node) => watch(() => tell(node, killed)));
      await pair.promote();

      await asOperatorOn(pair.standby, async (promoted) => {
        const { head: kept } = await promoted.log.poll(0);
        assert.ok(kept < gone, 'changes were lost');
        for (const node of nodes) await until('unavailable', () => tell(node, lost));
        // Other changes get the numbers of those that were lost.
        for (let made = kept; made < gone + 2; made += 3) await onboard(promoted);
        for (const { way } of nodes) way.moveTo(pair.standby.port);
        // This is what asynchronous replication costs: the suspension never was.
        for (const node of nodes) await until('active', () => tell(node, lost));
        for (const node of nodes) {
          assert.equal(await requestToken(node.server.url, stranger), undefined);
          assert.notEqual(await tell(node, ofStranger), 'active');
          assert.notEqual(await tell(node, unrecorded), 'active');
          await until('inactive', () => tell(node, killed));
        }
        for (const witness of ofKilled) await assertNothingAccepted(witness, diedMs);
        // This is how it is paid: nothing that was sealed before opens any more.
        const retired = { environment: 'sandbox', version: 1, reason: 'promotion lost changes' };
        assert.equal((await retireLeakedKey(promoted, retired)).receipt.confirmed.length, 2);
        for (const node of nodes) {
          for (const token of [killed, lost, unrecorded, ofStranger]) {
            assert.notEqual(await tell(node, token), 'active');
            await until('inactive', () => tell(node, token));
          }
          const fresh = await tokenOf(node, bystander);
          await until('active', () => tell(node, fresh));
        }
        assert.equal((await suspend(promoted, bystander)).confirmed.length, 2);
      });
    }),
);

test(
  'after a promotion that lost a node, no receipt is complete and no node decides until its lease must be over',
  options,
  () =>
    withPair(async (world, nodes, pair) => {
      const { leaked, bystander } = world;
      const tell = tellIn(world);
      const token = await tokenOf(nodes[0], leaked);
      const lasting = await tokenOf(nodes[0], bystander);
      for (const node of nodes) assert.equal(await tell(node, lasting), 'active');
      await pair.caughtUp();
      pair.replication.blackhole();
      const env = { ...envOf(pair.primary.url), COUNTERSIGN_LEASE_MS: String(LONG_LEASE_MS) };
      const unknown = { ...nodes[0], server: await startServer(newDataDirectory(), { env }) };
      try {
        const ofKilled = watch(() => tell(unknown, token));
        await until('active', () => tell(unknown, token));
        await pair.primary.kill();
        await pair.promote();
        await asOperatorOn(pair.standby, async (promoted) => {
          const begunMs = performance.now();
          const suspending = suspend(promoted, leaked);
          for (const { way } of nodes) way.moveTo(pair.standby.port);
          const elsewhere = nodes.map((node) => watch(() => tell(node, lasting)));
          const receipt = await suspending;
          const receiptMs = performance.now();
          assert.ok(receiptMs - begunMs >= LONG_LEASE_MS);
          assert.equal(receipt.complete, true);
          assert.ok(
            [...receipt.fenced, ...receipt.left].some(({ node }) => node.startsWith('lost:')),
          );
          // The control: the node that nobody knows of did accept it after the suspension, and no more after the receipt.
          const late = ofKilled.answers.filter((one) => one.begunMs > begunMs);
          assert.ok(late.some(({ heard }) => heard === 'active'));
          await assertNothingAccepted(ofKilled, receiptMs);
          for (const witness of elsewhere) {
            const answers = await witness.after(receiptMs);
            const refused = [...witness.answers].findIndex((one) => one.heard === 'unavailable');
            const meanwhile = witness.answers
              .slice(refused)
              .filter(({ endedMs }) => endedMs < receiptMs - LOOK_MS);
            assert.ok(refused >= 0 && meanwhile.length > 0 && answers.length > 0);
            for (const { heard } of meanwhile) assert.equal(heard, 'unavailable');
          }
          for (const node of nodes) {
            await until('active', () => tell(node, lasting));
            assert.equal(await tell(node, token), 'inactive');
          }
          assert.deepEqual(await promotionsOf(promoted), [{ synchronous: false, lost: 0 }]);
        });
      } finally {
        unknown.server.process.kill('SIGKILL');
      }
    }, LONG_LEASE_MS),
);

/** The row of what was lost goes, then the nodes begin, and then the receipt is told of. */
const LOOK_MS = 1_000;
