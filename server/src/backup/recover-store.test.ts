import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { after, test } from 'node:test';
import { endDueSuspensions } from '../operations/end-due-suspensions.ts';
import { type CommandLine, commandLine } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { envOf, pause, until } from '../testing/nodes-on-database.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  requestToken,
} from '../testing/onboarding.ts';
import { assertMaySkip, startPostgres } from '../testing/postgres.ts';
import { startServer } from '../testing/running-server.ts';

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const LEASE = { COUNTERSIGN_LEASE_MS: '1000' };
const options = typeof postgres === 'string' ? { skip: postgres } : {};

/** A second database as the first one is now: what a standby has that gets no further. */
async function copyOf(url: string): Promise<string> {
  assert.ok(typeof postgres !== 'string');
  const name = `${basename(new URL(url).pathname)}_behind`;
  const owner = new URL(url).username;
  const main = url.replace(/[^/]+$/, 'postgres');
  await postgres.asSuperuser(main, `create database ${name} template ${owner} owner ${owner}`);
  return url.replace(/[^/]+$/, name);
}

function ordinalsOf(env: Record<string, string>, client: Onboarded): Promise<number[]> {
  return asOperator(
    newDataDirectory(),
    async ({ directory }) => {
      const [program] = await directory.programs({ programId: client.programId });
      const [record] = await directory.clients({ clientId: client.clientId });
      const [secret] = await directory.secrets({ secretId: client.secretId });
      return [program!.ordinal, record!.ordinal, secret!.ordinal];
    },
    env,
  );
}

const onboardAt = (env: Record<string, string>, client = {}): Promise<Onboarded> =>
  asOperator(newDataDirectory(), (context) => onboard(context, client), env);

/** Recovers beside a running node; what the node says before and after that of tokens from before. */
async function recoverBeside(
  { url, cli, asker }: { url: string; cli: CommandLine; asker: Onboarded },
  tokens: readonly string[],
): Promise<Record<string, unknown>> {
  const ask = () => Promise.all(tokens.map((token) => introspect(url, asker, token)));
  // The control: without the command each of them is accepted.
  assert.deepEqual(new Set(await ask()), new Set(['active']));
  const done = await cli.json('store', 'recover');
  await cli.json('program', 'reactivate', asker.programId);
  // The node has no lease on the new life until it has registered anew, and refuses everything.
  const heard = new Set<string>();
  await until('inactive', async () => {
    for (const answer of await ask()) heard.add(answer);
    return [...heard].at(-1) ?? '';
  });
  assert.ok(!heard.has('active'));
  return done;
}

test(
  'of a database that came back without its last commits nothing is accepted that was killed in them, and no number names two',
  options,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const before = envOf(await postgres.newDatabase());
    const [client, asker] = [
      await onboardAt(before),
      await onboardAt(before, { resourceServer: true }),
    ];
    const behind = envOf(await copyOf(before['COUNTERSIGN_DATABASE_URL']!));

    // What is lost: a token, a suspension of who holds it, another client.
    const first = await startServer(newDataDirectory(), { env: { ...before, ...LEASE } });
    const killed = await requestToken(first.url, client);
    assert.ok(killed);
    const old = commandLine(newDataDirectory(), before);
    await old.json('program', 'suspend', client.programId, '--reason', 'leaked');
    const lost = await onboardAt(before);
    await first.stop();

    const server = await startServer(newDataDirectory(), { env: { ...behind, ...LEASE } });
    try {
      const cli = commandLine(newDataDirectory(), behind);
      const done = await recoverBeside({ url: server.url, cli, asker }, [killed]);
      assert.equal(done['complete'], true);
      assert.equal((done['confirmed'] as unknown[]).length, 1);
      const [program] = (await cli.json('program', 'list')) as unknown as Record<string, unknown>[];
      assert.partialDeepStrictEqual(program, {
        program_id: client.programId,
        state: 'suspended',
        suspended_reason: 'the store came back without its last changes',
      });
      assert.equal(await requestToken(server.url, client), undefined);
      await cli.json('program', 'reactivate', client.programId);
      const fresh = await requestToken(server.url, client);
      assert.ok(fresh);
      assert.equal(await introspect(server.url, asker, fresh), 'active');
      assert.equal((await cli.json('audit', 'verify'))['intact'], true);
    } finally {
      await server.stop();
    }
    const [given, now] = [
      await ordinalsOf(before, lost),
      await ordinalsOf(behind, await onboardAt(behind)),
    ];
    for (const [index, ordinal] of now.entries()) {
      assert.ok(ordinal > given[index]! + 50_000, `${given.join()}, then ${now.join()}`);
    }
  },
);

test('a data directory that was put back is recovered beside its server', async () => {
  const data = newDataDirectory();
  const [client, asker] = await asOperator(data, async (context) => [
    await onboard(context),
    await onboard(context, { resourceServer: true }),
  ]);
  const server = await startServer(data, { env: LEASE });
  try {
    const cli = commandLine(data);
    const token = await requestToken(server.url, client);
    // One who was removed in what is lost would be back.
    const operator = await cli.json('operator', 'create', 'Ada', '--role', 'admin');
    const operators = async (): Promise<unknown[]> =>
      ((await cli.json('operator', 'list')) as unknown as Record<string, unknown>[]).map(
        (row) => row['client_id'],
      );
    assert.deepEqual(await operators(), [operator['client_id']]);
    const done = await recoverBeside({ url: server.url, cli, asker }, [token!]);
    assert.equal((done['confirmed'] as unknown[]).length, 1);
    assert.deepEqual(await operators(), []);
    const again = await cli.json('operator', 'create', 'Ada', '--role', 'admin');
    const kept = await cli.json('store', 'recover', '--keep-active');
    assert.deepEqual(await operators(), [again['client_id']]);
    assert.notEqual(kept['incarnation'], done['incarnation']);
    const [line] = (await cli.json('audit', 'list', '--limit', '2')) as unknown as Record<
      string,
      unknown
    >[];
    assert.ok(line);
    const shown = await cli.json('program', 'show', asker.programId);
    assert.equal(shown['state'], 'active');
  } finally {
    await server.stop();
  }
});

test('a suspension that ends by itself lets nobody in who came back with a store', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const { program_id: id } = await cli.json('program', 'create', 'Acme');
  const end = new Date(Date.now() + 1_500).toISOString();
  await cli.json('program', 'suspend', String(id), '--reason', 'short', '--until', end);
  await cli.json('store', 'recover');
  await asOperator(data, async (context) => {
    await pause(1_600);
    // The control: it does end.
    assert.equal(await endDueSuspensions(context), 1);
  });
  const program = await cli.json('program', 'show', String(id));
  assert.equal(program['state'], 'suspended');
  await cli.json('program', 'reactivate', String(id));
  assert.equal((await cli.json('program', 'show', String(id)))['state'], 'active');
});

test('where there is no store there is nothing to recover, and none is made', async () => {
  const { code, stderr } = await commandLine(newDataDirectory())(['store', 'recover']);
  assert.equal(code, 1);
  assert.match(stderr, /holds no store/);
});
