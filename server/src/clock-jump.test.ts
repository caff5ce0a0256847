import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newDataDirectory } from './testing/data.ts';
import { startFaultyProxy } from './testing/faulty-proxy.ts';
import {
  assertNothingAccepted,
  envOf,
  type Node,
  reactivate,
  suspend,
  tellIn,
  tokenOf,
  until,
  watch,
  withNodes,
} from './testing/nodes-on-database.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';
import { startServer } from './testing/running-server.ts';

const LEASE_MS = 2_000;
/** Where Debian puts the library that tells a process another time; it leaves the monotonic clock alone here. */
const LIBRARY = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const missing = 'no libfaketime here: apt-get install faketime';
if (LIBRARY === undefined) assertMaySkip(missing);
const skip = LIBRARY === undefined ? missing : typeof postgres === 'string' ? postgres : undefined;
const options = skip === undefined ? {} : { skip };

/** A node whose wall clock, and nobody else's, is set by this much from now on. */
type Jumping = Node & { jump(seconds: number): void };

async function startJumping(databaseUrl: string): Promise<Jumping> {
  const url = new URL(databaseUrl);
  const way = await startFaultyProxy(Number(url.port));
  url.port = String(way.port);
  const data = newDataDirectory();
  const file = join(data, 'clock');
  const jump = (seconds: number): void =>
    writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  jump(0);
  const env = {
    ...envOf(url.href),
    COUNTERSIGN_LEASE_MS: String(LEASE_MS),
    LD_PRELOAD: LIBRARY ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  return { way, jump, server: await startServer(data, { env }) };
}

test(
  'a node whose wall clock jumps accepts nothing that was killed, neither while it hears of changes nor while it is cut off',
  options,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const databaseUrl = await postgres.newDatabase();
    const settings = { databaseUrl, count: 1, leaseMs: LEASE_MS };
    await withNodes(settings, async (world) => {
      const { context, leaked, bystander } = world;
      const tell = tellIn(world);
      const jumping = await startJumping(databaseUrl);
      try {
        const lasting = await tokenOf(jumping, bystander);
        const killed: string[] = [];
        for (const seconds of [600, -1_800, 1_200, 0]) {
          const token = await tokenOf(jumping, leaked);
          await until('active', () => tell(jumping, token));
          const witness = watch(() => tell(jumping, token));
          jumping.jump(seconds);
          const receipt = await suspend(context, leaked);
          const receiptMs = performance.now();
          assert.equal(receipt.complete, true);
          await assertNothingAccepted(witness, receiptMs);
          await reactivate(context, leaked);
          killed.push(token);
          await until('active', () => tell(jumping, lasting));
          for (const one of killed) assert.equal(await tell(jumping, one), 'inactive');
        }

        // Cut off, and set back as often as it is asked: its lease runs out all the same.
        const token = await tokenOf(jumping, leaked);
        await until('active', () => tell(jumping, token));
        let seconds = 0;
        const witness = watch(() => {
          seconds -= 1;
          jumping.jump(seconds);
          return tell(jumping, token);
        });
        jumping.way.blackhole();
        const receipt = await suspend(context, leaked);
        const receiptMs = performance.now();
        assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
        await assertNothingAccepted(witness, receiptMs);
        jumping.way.heal();
        await until('inactive', () => tell(jumping, token));
        await until('active', () => tell(jumping, lasting));
      } finally {
        jumping.server.process.kill('SIGKILL');
        await jumping.way.close();
      }
    });
  },
);
