import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openAuthority } from './in-process.ts';
import { commitAndAwait } from './operations/context.ts';
import { newDataDirectory } from './testing/data.ts';
import { type FaultyProxy, startFaultyProxy } from './testing/faulty-proxy.ts';
import {
  assertNothingAccepted,
  envOf,
  reactivate,
  suspend,
  tokenOf,
  until,
  type Witness,
  type World,
  watch,
  withNodes,
} from './testing/nodes-on-database.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';
import { type Service, startService } from './testing/verifying-process.ts';

const LEASE_MS = 5_000;
/** How much later than the server the service hears of everything. */
const BEHIND_MS = 120;

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

type Beside = World & {
  readonly service: Service;
  /** The service's own way to the database. */
  readonly way: FaultyProxy;
  /** A live token of the program under suspicion. */
  readonly newToken: () => Promise<string>;
  /** Asks the service about a token over and over, and returns once it has accepted it. */
  readonly witness: (token: string) => Promise<Witness>;
};

/** A server and a service on one database. */
async function withService(body: (beside: Beside) => Promise<void>): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  const databaseUrl = await postgres.newDatabase();
  await withNodes({ databaseUrl, count: 1, leaseMs: LEASE_MS }, async (world) => {
    const url = new URL(databaseUrl);
    const way = await startFaultyProxy(Number(url.port));
    url.port = String(way.port);
    const lease = { COUNTERSIGN_LEASE_MS: `${LEASE_MS}` };
    const service = await startService({ ...envOf(url.href), ...lease });
    const newToken = (): Promise<string> =>
      tokenOf(world.nodes[0] ?? assert.fail('it runs'), world.leaked);
    const witness = async (token: string): Promise<Witness> => {
      const watching = watch(() => service.tell(token));
      await until('active', async () => watching.answers.at(-1)?.heard ?? 'none');
      return watching;
    };
    try {
      await body({ ...world, ...{ service, way, newToken, witness } });
    } finally {
      await service.kill();
      await way.close();
    }
  });
}

test(
  'on a database no check that begins after a receipt is accepted, though the service hears of everything later; the control: whoever does not wait sees it accept',
  options,
  async () => {
    await withService(async ({ context, service, way, leaked, newToken, witness }) => {
      way.delay(BEHIND_MS);
      const protectedBy = await witness(await newToken());
      const receipt = await suspend(context, leaked);
      const ms = performance.now();
      assert.ok(receipt.complete);
      assert.ok(receipt.confirmed.some(({ node }) => node === service.node));
      await assertNothingAccepted(protectedBy, ms);

      way.delay(0);
      await reactivate(context, leaked);
      way.delay(BEHIND_MS);
      const unprotected = await witness(await newToken());
      const { programId } = leaked;
      const change = { kind: 'program.suspend', programId, reason: 'leaked' } as const;
      const early = await commitAndAwait({ ...context, receiptWaitMs: 0 }, change);
      const earlyMs = performance.now();
      assert.equal(early.receipt.complete, false);
      await assert.rejects(
        assertNothingAccepted(unprotected, earlyMs),
        /accepted after the receipt/,
      );
      await unprotected.after(earlyMs);
    });
  },
);

test(
  'a service that is cut off from the database for longer than its lease can tell of nothing, never accepts what was killed, and recovers',
  options,
  async () => {
    await withService(async ({ context, service, way, leaked, newToken, witness }) => {
      const token = await newToken();
      const watching = await witness(token);
      way.blackhole();
      assert.equal(await service.tell(token), 'active', 'the lease outlasts a short outage');
      const receipt = await suspend(context, leaked);
      const ms = performance.now();
      assert.ok(receipt.complete);
      assert.ok(receipt.fenced.some(({ node }) => node === service.node));
      await assertNothingAccepted(watching, ms);
      assert.equal(await service.tell(token), 'unknown', 'an outage, and no word about the token');
      way.heal();
      await until('inactive', () => service.tell(token));
      await reactivate(context, leaked);
      const fresh = await newToken();
      await until('active', () => service.tell(fresh));
      assert.equal(await service.tell(token), 'inactive');
      assert.equal(await service.close(), 0, service.log());
    });
  },
);

test('a database that holds no store is left as it is', options, async () => {
  assert.ok(typeof postgres !== 'string');
  const databaseUrl = await postgres.newDatabase();
  const settings = { ...envOf(databaseUrl), COUNTERSIGN_DATA: newDataDirectory() };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const open = () => openAuthority({ environment: 'sandbox', service: 'here', settings, log });
  await assert.rejects(open(), /--database-url: there is no store/);
  await assert.rejects(
    open(),
    /--database-url: there is no store/,
    'nor has the first try made one',
  );
});
