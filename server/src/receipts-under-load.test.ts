import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { commitAndAwait, type OperationContext } from './operations/context.ts';
import { createOperator } from './operations/operators.ts';
import { newDataDirectory } from './testing/data.ts';
import {
  assertNothingAccepted,
  envOf,
  pause,
  reactivate,
  tellIn,
  type Witness,
  watch,
  withNodes,
} from './testing/nodes-on-database.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  post,
  requestToken,
} from './testing/onboarding.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';

const LEASE_MS = 5_000;
const ROUNDS = 2;
/** How much later than its neighbour a node hears of everything. */
const BEHIND_MS = 120;
/** Each asks one question after the other: about a token, and for one. */
const INTROSPECTING = 4;
const ASKING = 2;
const LOOKS_MAX = 200;

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

type Loaded = {
  readonly server: RunningServer;
  readonly leaked: Onboarded;
  /** What the node says of a token. */
  readonly tell: (token: string) => ReturnType<typeof introspect>;
};

/** Loads every node with a leaked token and a leaked secret, and remembers each answer. */
async function load(nodes: readonly Loaded[]): Promise<readonly Witness[]> {
  const witnesses = await Promise.all(
    nodes.map(async ({ server, leaked, tell }) => {
      const token = (await requestToken(server.url, leaked)) ?? assert.fail('it is alive');
      const asking = async () =>
        (await requestToken(server.url, leaked)) === undefined ? 'refused' : 'active';
      return [
        ...Array.from({ length: INTROSPECTING }, () => watch(() => tell(token))),
        ...Array.from({ length: ASKING }, () => watch(asking)),
      ];
    }),
  );
  const all = witnesses.flat();
  const isUnderWay = ({ answers }: Witness) => answers.some(({ heard }) => heard === 'active');
  for (let looks = 0; !all.every(isUnderWay); looks += 1) {
    assert.ok(looks < LOOKS_MAX, 'every one of them is accepted before');
    await pause(50);
  }
  return all;
}

async function assertNothingAfter(witnesses: readonly Witness[], ms: number): Promise<void> {
  for (const { answers } of witnesses) {
    assert.ok(
      answers.some(({ heard }) => heard === 'active'),
      'it was accepted before',
    );
  }
  await Promise.all(witnesses.map((witness) => assertNothingAccepted(witness, ms)));
}

/** An operator at the admin API of a node, made on a store that servers have opened for operators. */
async function newOperator(
  { adminUrl }: RunningServer,
  onStore: <T>(body: (context: OperationContext) => Promise<T>) => Promise<T>,
) {
  const made = await onStore((context) =>
    createOperator(context, { name: 'Support', role: 'support' }),
  );
  const granted = await post(`${adminUrl}/admin/token`, {
    grant_type: 'client_credentials',
    client_id: made.clientId,
    client_secret: made.clientSecret.reveal(),
  });
  const { access_token: token } = (await granted.json()) as { access_token: string };
  return async (path: string, body: object) => {
    const answer = await fetch(`${adminUrl}/admin/v1${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const receipt = (await answer.json()) as Record<string, unknown>;
    assert.equal(answer.status, 200, JSON.stringify(receipt));
    assert.equal(receipt['complete'], true);
    return receipt;
  };
}

test('under load a suspension by the admin API is a receipt after which no node accepts anything: processes of one machine', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const leaked = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const servers = await Promise.all([startServer(data), startServer(data)]);
    try {
      const ask = await newOperator(servers[0], (body) => asOperator(data, body));
      const { programId } = leaked;
      for (let round = 0; round < ROUNDS; round += 1) {
        const witnesses = await load(
          servers.map((server) => ({
            ...{ server, leaked },
            tell: (token) => introspect(server.url, asker, token),
          })),
        );
        const receipt = await ask(`/programs/${programId}/suspend`, { reason: `round ${round}` });
        const ms = performance.now();
        assert.equal((receipt['confirmed'] as unknown[]).length, 2);
        await assertNothingAfter(witnesses, ms);
        await ask(`/programs/${programId}/reactivate`, {});
      }
    } finally {
      for (const server of servers) server.process.kill('SIGKILL');
    }
  });
});

test(
  'the same with a node that hears of everything later; the control: whoever does not wait for the receipt sees it accept',
  options,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const databaseUrl = await postgres.newDatabase();
    const settings = { databaseUrl, count: 2, leaseMs: LEASE_MS };
    await withNodes(settings, async (world) => {
      const { nodes, context, leaked } = world;
      const [first, late] = nodes;
      assert.ok(first !== undefined && late !== undefined);
      const tell = tellIn(world);
      const ask = await newOperator(first.server, (body) =>
        asOperator(newDataDirectory(), body, envOf(databaseUrl)),
      );
      const loaded = () =>
        load(
          nodes.map((node) => ({
            ...{ server: node.server, leaked },
            tell: (token) => tell(node, token),
          })),
        );
      const { programId } = leaked;
      late.way.delay(BEHIND_MS);
      const witnesses = await loaded();
      await ask(`/programs/${programId}/suspend`, { reason: 'leaked' });
      await assertNothingAfter(witnesses, performance.now());

      late.way.delay(0);
      await reactivate(context, leaked);
      late.way.delay(BEHIND_MS);
      const unprotected = await loaded();
      // The protection is that the answer waits for the nodes: here it does not.
      const change = { kind: 'program.suspend', programId, reason: 'leaked' } as const;
      const { receipt } = await commitAndAwait({ ...context, receiptWaitMs: 0 }, change);
      const ms = performance.now();
      assert.equal(receipt.complete, false);
      await assert.rejects(assertNothingAfter(unprotected, ms), /accepted after the receipt/);
      await Promise.all(unprotected.map((witness) => witness.after(ms)));
    });
  },
);
