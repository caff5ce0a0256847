/** The Banking API's own database: its tables, and how it is opened. Shares nothing with the authority's files. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const BUSY_TIMEOUT_MS = 2_000;

/** Every table carries the program: no query leaves it out, and no row changes hands. */
const TABLES = `
  create table if not exists programs (
    program_id text primary key
  ) strict;
  create table if not exists profiles (
    ordinal integer primary key autoincrement,
    profile_id text not null unique,
    program_id text not null references programs,
    name text not null,
    email text not null,
    created_at text not null,
    unique (program_id, email)
  ) strict;
  create table if not exists accounts (
    ordinal integer primary key autoincrement,
    account_id text not null unique,
    program_id text not null references programs,
    profile_id text not null references profiles (profile_id),
    name text not null,
    balance_cents integer not null check (balance_cents >= 0),
    created_at text not null
  ) strict;
  create table if not exists transactions (
    ordinal integer primary key autoincrement,
    transaction_id text not null unique,
    program_id text not null references programs,
    account_id text not null references accounts (account_id),
    amount_cents integer not null check (amount_cents <> 0),
    balance_cents integer not null check (balance_cents >= 0),
    description text not null,
    created_at text not null
  ) strict;
  create table if not exists keys (
    program_id text not null references programs,
    key text not null,
    digest text not null,
    outcome text not null,
    created_at text not null,
    primary key (program_id, key)
  ) strict, without rowid;
  create index if not exists profiles_of_program on profiles (program_id, ordinal);
  create index if not exists accounts_of_program on accounts (program_id, ordinal);
  create index if not exists transactions_of_account on transactions (account_id, ordinal);
`;

const VERSION = 2;

/** Opens the database in a folder, which is made if need be. */
export function openDatabase(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, 'banking-api.db'), { timeout: BUSY_TIMEOUT_MS });
  // Money that was acknowledged is on disk: every commit is fsynced.
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;');
  const { user_version: version } = database.prepare('pragma user_version').get() ?? {};
  const isNew = database.prepare('select 1 from sqlite_schema').get() === undefined;
  if (!isNew && version !== VERSION) {
    throw new Error(`${folder} is of another version of this sample. Delete it: it is made anew.`);
  }
  database.exec(`${TABLES}; pragma user_version = ${VERSION};`);
  return database;
}

/** Runs `work` in one transaction: all of it is committed, or nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}
