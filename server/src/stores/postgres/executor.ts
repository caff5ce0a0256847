/** Runs the steps of a transaction over the network: one query after another, on the primary alone, repeated when two got in each other's way. */

import {
  createQueryId,
  PostgresQueryCompiler,
  type RootOperationNode,
  SelectModifierNode,
  SelectQueryNode,
} from 'kysely';
import { type Committed, StoreUnavailable } from '../../ports/store.ts';
import { type AuditEntry, type Closing, lineOf, toldOf } from '../sql/append.ts';
import { checkedParameters } from '../sql/parameters.ts';
import type { Query, Steps } from '../sql/schema.ts';
import type { Connections, Row, Session } from './connections.ts';
import { isWorthRepeating } from './outage.ts';

const TRIES_MAX = 4;

const compiler = new PostgresQueryCompiler();

/** One write transaction. Rows that it decides by are locked as it reads them. */
export function write<T>(connections: Connections, steps: () => Steps<T>): Promise<T> {
  return transaction(connections, 'begin isolation level read committed', steps);
}

/** One write transaction that also reads, all of it as of one moment. */
export function writeInSnapshot<T>(connections: Connections, steps: () => Steps<T>): Promise<T> {
  return transaction(connections, 'begin isolation level repeatable read', steps);
}

/** Reads as of one moment, from the primary. */
export function read<T>(connections: Connections, steps: () => Steps<T>): Promise<T> {
  return connections.use((session) => readIn(session, () => runSteps(session, steps())));
}

/** Holds one snapshot of the primary while `body` reads. */
export async function readIn<T>(session: Session, body: () => Promise<T>): Promise<T> {
  const [, [row] = []] = await session.script(
    'begin isolation level repeatable read read only; select pg_is_in_recovery() as standby',
  );
  if (row?.['standby'] !== false) {
    throw new StoreUnavailable('this database is a standby: nothing is decided by one');
  }
  const value = await body();
  await session.script('commit');
  return value;
}

/**
 * One change. Its number is taken last, and the commit does not wait to hear from us again: a process that is stopped here
 * holds the rows of its own change, never the number.
 */
export function change(
  connections: Connections,
  steps: () => Steps<Closing | Committed>,
): Promise<Committed> {
  return repeated(() =>
    connections.use(async (session) => {
      await session.script('begin isolation level read committed');
      return await closeChange(session, await runSteps(session, steps()));
    }),
  );
}

/** Ends the open transaction with the number of its change, or, as nothing has changed, without one. */
export async function closeChange(
  session: Session,
  ending: Closing | Committed,
): Promise<Committed> {
  if ('changed' in ending) {
    await session.script('commit');
    return ending;
  }
  const { kind, target, actor, atMs, changeId, facts, detail = {}, lines } = ending;
  // The rest of the line after the number, which is put in before it (see `lineOf`).
  const textOf = (line: Pick<AuditEntry, 'action' | 'target' | 'detail'>): string =>
    lineOf({ actor, atMs, ...line }).slice(1);
  const closing = {
    ...{ kind, target, atMs, changeId, facts: JSON.stringify(facts) },
    line: textOf({ action: kind, target, detail }),
    lines: lines?.map((line) => ({ action: line.action, line: textOf(line) })),
  };
  await session.query("select set_config('countersign.change', $1, true)", [
    JSON.stringify(closing),
  ]);
  const [[row] = []] = await session.script('select append_change() as sequence; commit');
  return { sequence: Number(row?.['sequence']), changeId, changed: true, ...toldOf(ending) };
}

export async function runSteps<T>(session: Session, steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    const { sql, parameters } = compiled(step.value);
    step = steps.next(await session.query(sql, checkedParameters(parameters)));
  }
  return step.value;
}

/** The rows of a query in pages, so that its text and its rows never stand in memory together; only inside `readIn`. */
export async function inPages(
  session: Session,
  node: RootOperationNode,
  take: (row: Row) => void,
): Promise<void> {
  const { sql, parameters } = compiled({ node, locks: false });
  await session.query(`declare page no scroll cursor for ${sql}`, checkedParameters(parameters));
  for (;;) {
    const rows = await session.query(`fetch ${ROWS_PER_PAGE} from page`);
    for (const row of rows) take(row);
    if (rows.length < ROWS_PER_PAGE) break;
  }
  await session.query('close page');
}

const ROWS_PER_PAGE = 5_000;

/** What time the database has. */
export async function wallMs(session: Session): Promise<number> {
  const [row] = await session.query(
    'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms',
  );
  return Number(row?.['now_ms']);
}

function transaction<T>(
  connections: Connections,
  begin: string,
  steps: () => Steps<T>,
): Promise<T> {
  return repeated(() =>
    connections.use(async (session) => {
      await session.script(begin);
      const value = await runSteps(session, steps());
      await session.script('commit');
      return value;
    }),
  );
}

/** Runs again what the server took back because of another transaction: nothing of it was committed. */
async function repeated<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (tries >= TRIES_MAX || !isWorthRepeating((error as Error).cause ?? error)) throw error;
    }
  }
}

function compiled({ node, locks }: Query): ReturnType<PostgresQueryCompiler['compileQuery']> {
  return compiler.compileQuery(locks ? withLock(node) : node, createQueryId());
}

/** NO KEY: rows that only refer to the locked one are written meanwhile. */
function withLock(node: RootOperationNode): RootOperationNode {
  if (!SelectQueryNode.is(node)) throw new TypeError('only what is read can be locked');
  return { ...node, endModifiers: [SelectModifierNode.create('ForNoKeyUpdate')] };
}
