/** Everything that is measured side by side in one run: started once, in the order of the table. Measures nothing. */

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BenchDatabase, startDatabase } from './database.ts';
import { countJournalRows } from './journal-rows.ts';
import { anywhere, type Placement } from './machine.ts';
import type { Options } from './options.ts';
import { installPeers, PEERS, startPeer } from './peers.ts';
import type { Runner } from './rounds.ts';
import {
  type Authority,
  type AuthorityOptions,
  startAuthority,
  startBareServer,
} from './servers.ts';
import { bareRunners, runnersOf } from './subjects.ts';
import { VARIANTS, type Variant } from './variants.ts';

export type Bench = Options & {
  /** For files that only this user can read. */
  readonly directory: string;
  readonly placement: Placement;
  readonly cleanUp: (() => Promise<void>)[];
};

/** An authority whose tokens on record are counted at the end. */
export type Recorder = {
  /** Of the subject that asked for tokens. */
  readonly name: string;
  countTokens(): Promise<number>;
};

export type Field = {
  readonly runners: readonly Runner[];
  readonly recorders: readonly Recorder[];
};

const HERE = resolve(import.meta.dirname, '..');

type Started = { readonly runners: Runner[]; readonly recorders: Recorder[] };

/** The bare server, Countersign, and what the options add. What is started is ended by `cleanUp`. */
export async function startField(bench: Bench): Promise<Field> {
  const database = lazyDatabase(bench);
  const started: Started = { runners: [], recorders: [] };
  const ours = await addAuthority(bench, started, { checkout: HERE, database });
  const { token, verify } = ours.targets;
  const bare = await startBareServer({ form: token, get: verify }, bench.placement.onServerCore);
  bench.cleanUp.push(bare.stop);
  started.runners.unshift(...bareRunners(bare));
  if (bench.againstDirectory !== undefined) {
    const checkout = resolve(bench.againstDirectory);
    await addAuthority(bench, started, {
      checkout,
      variant: { name: 'against', goals: {} },
      database,
    });
  }
  for (const variant of bench.variants ? VARIANTS : []) {
    await addVariant(bench, started, { variant, database });
  }
  if (bench.peers) await addPeers(bench, started, database);
  return started;
}

async function addVariant(
  bench: Bench,
  started: Started,
  { variant, database }: { readonly variant: Variant; readonly database: LazyDatabase },
): Promise<void> {
  const env = variant.env?.() ?? {};
  if (typeof env === 'string') console.error(env);
  else await addAuthority(bench, started, { checkout: HERE, variant, env, database });
}

async function addAuthority(
  bench: Bench,
  started: Started,
  of: {
    readonly checkout: string;
    readonly variant?: Variant;
    readonly env?: Readonly<Record<string, string>>;
    readonly database: LazyDatabase;
  },
): Promise<Authority> {
  const { variant, checkout } = of;
  const data = join(bench.directory, `data${started.recorders.length}`);
  mkdirSync(data, { mode: 0o700 });
  const database = variant?.isOnPostgres === true ? await of.database() : undefined;
  const url = await database?.newDatabase();
  const authority = await startAuthority(checkout, {
    data,
    place: variant?.isOnAllCores ? anywhere : bench.placement.onServerCore,
    args: variant?.args ?? [],
    env: { ...of.env, ...(url !== undefined && environmentOf(url)) },
  });
  bench.cleanUp.push(authority.stop);
  const pids = [authority.pid, ...(database === undefined ? [] : [database.pid])];
  const runners = runnersOf({ targets: authority.targets, pids }, variant);
  started.runners.push(...runners);
  started.recorders.push({
    name: runners[0]?.subject.name ?? '',
    countTokens: async () =>
      url !== undefined && database !== undefined
        ? await database.countTokens(url)
        : countJournalRows(data),
  });
  return authority;
}

/** A master key for a database that nobody will see again. */
function environmentOf(url: string): AuthorityOptions['env'] & {} {
  return {
    COUNTERSIGN_DATABASE_URL: url,
    COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  };
}

async function addPeers(bench: Bench, started: Started, database: LazyDatabase): Promise<void> {
  installPeers();
  const { onServerCore: place } = bench.placement;
  for (const peer of PEERS) {
    const databaseUrl = async () => (await database()).newDatabase();
    const server = await startPeer(peer, { place, databaseUrl });
    bench.cleanUp.push(server.stop);
    const beside = peer.onPostgres === undefined ? [] : [(await database()).pid];
    started.runners.push(...runnersOf({ ...server, pids: [server.pid, ...beside] }, peer));
  }
}

type LazyDatabase = () => Promise<BenchDatabase>;

/** One PostgreSQL for all who need it, and none when nobody does. It ends last. */
function lazyDatabase(bench: Bench): LazyDatabase {
  let running: Promise<BenchDatabase> | undefined;
  bench.cleanUp.push(async () => (await running)?.stop());
  return () => {
    running ??= startDatabase(bench.placement);
    return running;
  };
}
