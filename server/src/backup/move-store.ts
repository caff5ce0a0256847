/**
 * Moves a data directory to an empty PostgreSQL. At no moment may both be served: the copy has no head row, and so is no store, until
 * the source is closed for good. Cut off anywhere, it leaves the source as it was, or is finished by repeating it.
 */

import type { DatabaseSync } from 'node:sqlite';
import type { Config } from '../config.ts';
import { type Deps, journalDirectory, masterKeyOf } from '../data-directory.ts';
import type { Session } from '../stores/postgres/connections.ts';
import { COPY_TIMEOUTS, contentOf, insertRows } from '../stores/postgres/copied-tables.ts';
import { closeChange } from '../stores/postgres/executor.ts';
import { checkServer, holdAlone } from '../stores/postgres/migrate.ts';
import { HEAD_TABLE } from '../stores/sql/copied-tables.ts';
import { closedBecause, closeForGood } from '../stores/sqlite/closed.ts';
import { connectWriter } from '../stores/sqlite/connect.ts';
import { countRows, pagesOf } from '../stores/sqlite/copied-tables.ts';
import { migrate } from '../stores/sqlite/migrate.ts';
import { databasePath } from '../stores/sqlite/store.ts';
import { BackupRefused } from './archive.ts';
import { withConnection } from './database-connection.ts';
import { fillDatabase, requireEmpty } from './database-target.ts';
import { directorySource } from './directory-source.ts';
import { newId } from './new-life.ts';
import { hasRunningServer } from './running-servers.ts';
import type { Tell } from './tell.ts';

export type Moved = {
  readonly incarnation: string;
  /** Number of the change that the move is in the new store. */
  readonly sequence: number;
  /** False: it was complete already. */
  readonly changed: boolean;
  readonly programs: number;
  readonly clients: number;
  readonly secrets: number;
  readonly auditLines: number;
  /** Tokens on record that were copied by this run; undefined when an earlier one copied them. */
  readonly tokens: number | undefined;
};

type MoveDeps = Deps & { readonly tell: Tell };
type Head = Readonly<Record<string, unknown>>;

/** Throws `BackupRefused` or `MasterKeyError`; the message says what has happened so far when that is not nothing. */
export async function moveStore(config: Config, to: string, deps: MoveDeps): Promise<Moved> {
  if (config.databaseUrl !== undefined) {
    throw new BackupRefused(
      'a data directory is moved to PostgreSQL: leave out --database-url and COUNTERSIGN_DATABASE_URL',
    );
  }
  await directorySource(config).requireStore();
  const path = databasePath(config.data);
  const source = connectWriter(path);
  try {
    if (closedBecause(source) === undefined) migrate(source, path);
    await requireItsKey(config, source, deps);
    // Until the end: nobody changes anything meanwhile, and no node can register.
    source.exec('BEGIN IMMEDIATE');
    const isClosed = closedBecause(source) !== undefined;
    if (await hasRunningServer(config.data)) {
      throw new BackupRefused(`a server runs on ${config.data}: stop it, then repeat`);
    }
    const tokens = isClosed ? undefined : await copyAndClose({ config, source, to }, deps);
    const opened = await openCopy(source, to, deps).catch((error: Error) => {
      if (error instanceof BackupRefused) throw error;
      throw new BackupRefused(
        `the data directory is closed, and the copy is whole but not yet open: ${error.message}; repeat the command`,
      );
    });
    const count = (table: Parameters<typeof countRows>[1]): number => countRows(source, table);
    return {
      ...opened,
      programs: count('programs'),
      clients: count('clients'),
      secrets: count('secrets'),
      auditLines: count('audit'),
      tokens,
    };
  } finally {
    // What is not committed is taken back.
    source.close();
  }
}

async function requireItsKey(config: Config, source: DatabaseSync, deps: Deps): Promise<void> {
  const { masterKey } = await masterKeyOf(config, false, deps.randomness);
  const check = headOf(source)['master_key_check'];
  if (masterKey.fingerprint() === check) return;
  throw new BackupRefused(
    `--data ${config.data}: was made under another master key (check ${String(check)}, given ${masterKey.fingerprint()})`,
  );
}

/** The copy first, all of it; then the data directory is closed, which is the moment from which it is history. */
async function copyAndClose(
  { config, source, to }: { config: Config; source: DatabaseSync; to: string },
  deps: MoveDeps,
): Promise<number> {
  await requireEmpty(to, deps);
  const journal = journalDirectory(config);
  const tokens = await fillDatabase(to, { source, journal, except: HEAD_TABLE }, deps);
  closeForGood(source, reasonOf(to, deps));
  source.exec('COMMIT');
  return tokens;
}

/** Without the user and the password, which may stand in the URL. */
function reasonOf(to: string, { clock }: Deps): string {
  const { host, pathname } = new URL(to);
  return (
    `this store was moved to PostgreSQL (${host}${pathname}) at ${new Date(clock.wallMs()).toISOString()}: ` +
    'use it there, with --database-url; here nothing is decided or changed any more'
  );
}

/** Gives the copy its head row, and with it a life of its own, as a change that its audit trail tells of. */
function openCopy(
  source: DatabaseSync,
  to: string,
  deps: MoveDeps,
): Promise<Pick<Moved, 'incarnation' | 'sequence' | 'changed'>> {
  const head = headOf(source);
  return withConnection(to, deps, async (connections) => {
    await checkServer(connections);
    return await connections.use(async (session) => {
      await session.script(`begin; ${COPY_TIMEOUTS}`);
      await holdAlone(session);
      const content = await contentOf(session);
      if (content === 'nothing') throw noCopy();
      await requireCopyOf(session, head);
      if (content === 'store') return await openedEarlier(session, head);
      const incarnation = newId(deps);
      await insertRows(session, HEAD_TABLE, [{ ...head, incarnation }]);
      const { sequence, changed } = await closeChange(session, {
        kind: 'store.copy',
        target: 'store',
        facts: [],
        detail: { incarnation, earlier_incarnation: head['incarnation'] },
        actor: deps.actor,
        atMs: deps.clock.wallMs(),
        changeId: newId(deps),
      });
      return { incarnation, sequence, changed };
    });
  });
}

/** The hash of the last audit line covers every one before it, so no other store has it. */
async function requireCopyOf(session: Session, head: Head): Promise<void> {
  const [line] = await session.query('select hash from audit where sequence = $1', [
    head['audit_sequence'],
  ]);
  if (line?.['hash'] !== head['audit_hash']) throw noCopy();
}

const noCopy = (): BackupRefused =>
  new BackupRefused('the store was moved already, and that database holds no copy of it');

async function openedEarlier(
  session: Session,
  head: Head,
): Promise<Pick<Moved, 'incarnation' | 'sequence' | 'changed'>> {
  const [row] = await session.query('select incarnation from store');
  await session.script('commit');
  return {
    incarnation: String(row?.['incarnation']),
    sequence: Number(head['sequence']) + 1,
    changed: false,
  };
}

function headOf(source: DatabaseSync): Head {
  const [[head] = []] = pagesOf(source, HEAD_TABLE);
  if (head === undefined) throw new BackupRefused('the data directory holds no store');
  return head;
}
