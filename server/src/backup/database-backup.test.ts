import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BUCKET_MS, bucketStart, RETENTION_MS } from '../journal/bucket-files.ts';
import { type CopiedToken, fillBuckets } from '../journal/copied-tokens.ts';
import { type CommandLine, commandLine, runProgram } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { jtiOf } from '../testing/kill-rounds.ts';
import { envOf } from '../testing/nodes-on-database.ts';
import { asOperator, introspect, onboard, requestToken } from '../testing/onboarding.ts';
import { isPoolerInstalled, startPooler } from '../testing/pgbouncer.ts';
import { assertMaySkip, startPostgres } from '../testing/postgres.ts';
import { type RunningServer, startServer } from '../testing/running-server.ts';

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

/** A store to be, on either engine, under the key that all share. */
type Place = { readonly data: string; readonly env: Record<string, string>; cli: CommandLine };

async function emptyDatabase(): Promise<Place> {
  assert.ok(typeof postgres !== 'string');
  const env = envOf(await postgres.newDatabase());
  const data = newDataDirectory();
  return { data, env, cli: commandLine(data, env) };
}

function emptyDirectory(): Place {
  const data = newDataDirectory();
  const key = Buffer.alloc(32, 7).toString('base64url');
  writeFileSync(join(data, 'master.key'), `${key}\n`, { mode: 0o600 });
  const env = { COUNTERSIGN_PUBLIC_URL: 'https://auth.bank.example' };
  return { data, env, cli: commandLine(data, env) };
}

async function serving<T>(place: Place, body: (server: RunningServer) => Promise<T>): Promise<T> {
  const server = await startServer(place.data, { env: place.env });
  try {
    return await body(server);
  } finally {
    await server.stop();
  }
}

const listed = async (cli: CommandLine, ...argv: string[]): Promise<Record<string, unknown>[]> =>
  (await cli.json(...argv)) as unknown as Record<string, unknown>[];

const DATABASE = ['PostgreSQL', emptyDatabase] as const;
const DIRECTORY = ['a data directory', () => Promise.resolve(emptyDirectory())] as const;
for (const [[from, newSource], [to, newTarget]] of [
  [DATABASE, DATABASE],
  [DATABASE, DIRECTORY],
  [DIRECTORY, DATABASE],
] as const) {
  test(
    `nothing that was killed after a backup of ${from} opens once it is restored to ${to}`,
    options,
    async () => {
      const source = await newSource();
      const file = join(newDataDirectory(), 'backup');
      const { cli } = source;
      const [client, asker] = await asOperator(
        source.data,
        async (context) => [
          await onboard(context),
          await onboard(context, { resourceServer: true }),
        ],
        source.env,
      );
      const suspend = (reason: string): Promise<unknown> =>
        cli.json('program', 'suspend', client.programId, '--reason', reason);
      const old: (string | undefined)[] = [];
      const later = await serving(source, async ({ url }) => {
        old.push(await requestToken(url, client));
        await suspend('one');
        const made = await cli.json('backup', file);
        assert.equal(made['tokens'], 1);
        await cli.json('program', 'reactivate', client.programId);
        old.push(await requestToken(url, client));
        await suspend('two');
        return asOperator(source.data, (context) => onboard(context), source.env);
      });
      assert.ok(old.every((token) => token !== undefined));

      const restored = await newTarget();
      const document = await restored.cli.json('restore', file);
      const states = await listed(restored.cli, 'program', 'list');
      assert.deepEqual(new Set(states.map(({ state }) => state)), new Set(['suspended']));
      assert.equal((await restored.cli.json('audit', 'verify'))['intact'], true);
      const [line] = await listed(restored.cli, 'audit', 'list', '--limit', '1');
      assert.partialDeepStrictEqual(line, {
        action: 'store.restore',
        detail: { incarnation: document['incarnation'] },
      });
      for (const { programId } of [client, asker])
        await restored.cli.json('program', 'reactivate', programId);
      await serving(restored, async ({ url }) => {
        const fresh = await requestToken(url, client);
        assert.ok(fresh);
        assert.equal(await introspect(url, asker, fresh), 'active');
        for (const token of old) assert.equal(await introspect(url, asker, token!), 'inactive');
        assert.equal(await requestToken(url, later), undefined);
      });
      const tokens = await listed(restored.cli, 'token', 'list', '--client', client.clientId);
      assert.deepEqual(
        tokens.map(({ standing }) => standing),
        ['live', 'revoked'],
      );
      const ordinals = async ({ data, env }: Place, clientId: string): Promise<unknown> =>
        asOperator(
          data,
          async ({ directory }) => (await directory.clients({ clientId }))[0]?.ordinal,
          env,
        );
      const fresh = await asOperator(restored.data, (context) => onboard(context), restored.env);
      const [before, now] = [
        await ordinals(source, later.clientId),
        await ordinals(restored, fresh.clientId),
      ];
      assert.ok(Number(now) > Number(before) + 1_000, `${before}, then ${now}`);
    },
  );
}

const CALLERS = 6;
const LOAD_MS = 400;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const MAIN = new URL('../main.ts', import.meta.url).pathname;
const noPooler = isPoolerInstalled() ? options : { skip: 'pgbouncer is not installed' };

test(
  'a backup of PostgreSQL under load, through a pooler, holds every token that was answered before it began, and refuses no request',
  noPooler,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const pooler = await startPooler(await postgres.newDatabase());
    const env = { ...envOf(pooler.url), COUNTERSIGN_DATABASE_NOTIFICATIONS: 'off' };
    const data = newDataDirectory();
    const file = join(newDataDirectory(), 'backup');
    try {
      const client = await asOperator(data, (context) => onboard(context), env);
      const answered: string[] = [];
      let refused = 0;
      let before: readonly string[] = [];
      await serving({ data, env, cli: commandLine(data, env) }, async ({ url }) => {
        let isOver = false;
        const call = async (): Promise<void> => {
          while (!isOver) {
            const token = await requestToken(url, client);
            if (token === undefined) refused += 1;
            else answered.push(token);
          }
        };
        const callers = Array.from({ length: CALLERS }, call);
        await pause(LOAD_MS);
        before = answered.map(jtiOf);
        const ran = await runProgram(process.execPath, [MAIN, 'backup', file, '--data', data], {
          env,
        });
        isOver = true;
        await Promise.all(callers);
        assert.equal(ran.code, 0, ran.stderr);
      });
      assert.ok(before.length > 0 && answered.length > before.length);
      const restored = await emptyDatabase();
      const document = await restored.cli.json('restore', file);
      const kept = await asOperator(
        restored.data,
        async ({ directory, journal }) => {
          const [record] = await directory.clients({ clientId: client.clientId });
          return journal.list({ client: record!.ordinal, sinceMs: 0, limit: 10_000 });
        },
        restored.env,
      );
      const known = new Set(kept.map(({ jti }) => Buffer.from(jti).toString('base64url')));
      assert.deepEqual([before.filter((jti) => !known.has(jti)), refused], [[], 0]);
      const backup = document['backup'] as Record<string, unknown>;
      assert.equal(kept.length, backup['tokens']);
    } finally {
      await pooler.stop();
    }
  },
);

test(
  'a database without a store is not backed up, and one with a store is not restored over',
  options,
  async () => {
    const { cli } = await emptyDatabase();
    const file = join(newDataDirectory(), 'backup');
    const refused = await cli(['backup', file]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /the database holds no store, but nothing/);
    await cli.json('program', 'create', 'Acme');
    await cli.json('backup', file);
    const over = await cli(['restore', file]);
    assert.equal(over.code, 1);
    assert.match(over.stderr, /holds a store already, and nothing is replaced/);
  },
);

const DAY_MS = 24 * 60 * 60 * 1000;

/** A token of client 1 that was committed `lateMs` after it was issued. */
function tokenAt(atMs: number, lateMs = 0): { bucketMs: number; token: CopiedToken } {
  const jti = Buffer.alloc(12);
  jti.writeBigUInt64BE(BigInt(atMs));
  const address = Buffer.from('00000000000000000000ffff7f000001', 'hex');
  return { bucketMs: atMs + lateMs, token: [atMs, 3600, 1, 4, 1, 2, 3, jti, address] };
}

/** All of client 1's tokens on record, and each found alone by its own time. */
function recordAt({ data, env }: Place): Promise<unknown[]> {
  return asOperator(
    data,
    async ({ journal }) => {
      const all = await journal.list({ client: 1, sinceMs: 0, limit: 1_000 });
      for (const token of all) {
        const { issuedAtMs: sinceMs } = token;
        const alone = await journal.list({ client: 1, sinceMs, untilMs: sinceMs, limit: 5 });
        assert.deepEqual(alone, [token]);
      }
      return all.map((token) => ({ ...token, jti: Buffer.from(token.jti).toString('hex') }));
    },
    env,
  );
}

test(
  'the record of tokens is the same on either engine, over days and at the edges of buckets',
  options,
  async () => {
    const source = emptyDirectory();
    await asOperator(source.data, (context) => onboard(context), source.env);
    const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    const edge = bucketStart(Date.now() - 7 * DAY_MS, BUCKET_MS);
    const kept = [
      ...[today - 3 * DAY_MS, today - DAY_MS - 1, today - DAY_MS, today - 1].map((ms) =>
        tokenAt(ms),
      ),
      // Issued in one bucket and committed in the next, once over midnight.
      tokenAt(edge - 2, 5),
      tokenAt(edge, 0),
      tokenAt(today - 2 * DAY_MS - 3, 5),
      tokenAt(today - 2 * DAY_MS + BUCKET_MS - 1, 0),
    ];
    const journal = join(source.data, 'journal');
    mkdirSync(journal);
    const filler = fillBuckets(journal);
    filler.add([...kept, tokenAt(Date.now() - RETENTION_MS - 3 * DAY_MS)]);
    assert.equal(filler.end().length, 7, 'two buckets hold two tokens each');
    const before = (await recordAt(source)).slice(0, kept.length);
    assert.equal(before.length, kept.length);

    const database = await emptyDatabase();
    const url = database.env['COUNTERSIGN_DATABASE_URL']!;
    const moved = await source.cli.json('store', 'copy', '--to-database-url', url);
    assert.equal(moved['tokens'], kept.length, 'all but the one past retention');
    assert.deepEqual(await recordAt(database), before);
    const file = join(newDataDirectory(), 'backup');
    await database.cli.json('backup', file);
    const restored = emptyDirectory();
    await restored.cli.json('restore', file);
    assert.deepEqual(await recordAt(restored), before);
  },
);
