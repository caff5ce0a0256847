/** Runs the steps of a transaction on one SQLite connection, synchronously from BEGIN to COMMIT. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { createQueryId, type RootOperationNode, SqliteQueryCompiler } from 'kysely';
import { StoreUnavailable } from '../../ports/store.ts';
import { checkedParameters } from '../sql/parameters.ts';
import type { Steps } from '../sql/schema.ts';

/** The texts of this program's queries are few; a bound all the same, should one of them vary. */
const STATEMENTS_MAX = 500;

const compiler = new SqliteQueryCompiler();
const compiled = (node: RootOperationNode) => compiler.compileQuery(node, createQueryId());

export type Executor = {
  /** One write transaction. Anything thrown rolls all of it back. */
  write<T>(steps: () => Steps<T>): T;
  /** Reads in one snapshot. */
  read<T>(steps: () => Steps<T>): T;
  /** Holds one snapshot while `body` runs, for reads that stream. */
  snapshot<T>(body: (run: <R>(steps: Steps<R>) => R) => T): T;
  /** The rows of one query, one at a time; only inside `snapshot`. */
  stream(query: RootOperationNode): Iterable<unknown>;
  /** A counter that moves when another connection has committed. */
  dataVersion(): number;
};

export function executorOf(connection: DatabaseSync): Executor {
  const prepare = statementCache(connection);
  const version = connection.prepare('PRAGMA data_version');
  const runSteps = <T>(steps: Steps<T>): T => {
    let step = steps.next();
    while (!step.done) {
      const { sql, parameters } = compiled(step.value.node);
      step = steps.next(prepare(sql).all(...checkedParameters(parameters)));
    }
    return step.value;
  };
  const inTransaction = <T>(begin: string, body: () => T): T => {
    try {
      connection.exec(begin);
      const value = body();
      connection.exec('COMMIT');
      return value;
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK');
      throw asOutage(error);
    }
  };
  return {
    write: (steps) => inTransaction('BEGIN IMMEDIATE', () => runSteps(steps())),
    read: (steps) => inTransaction('BEGIN', () => runSteps(steps())),
    snapshot: (body) => inTransaction('BEGIN', () => body(runSteps)),
    stream: (query) => {
      const { sql, parameters } = compiled(query);
      return prepare(sql).iterate(...checkedParameters(parameters));
    },
    dataVersion: () => (version.get() as { data_version: number }).data_version,
  };
}

function statementCache(connection: DatabaseSync): (sql: string) => StatementSync {
  const statements = new Map<string, StatementSync>();
  return (sql) => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= STATEMENTS_MAX) statements.clear();
      statement = connection.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
}

/** SQLite's primary result codes that mean "not now" or "not on this disk": busy, locked, read-only, I/O, full, cannot open, … */
const OUTAGE_CODES = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

function asOutage(error: unknown): unknown {
  const code = (error as { errcode?: unknown }).errcode;
  if (typeof code !== 'number' || !OUTAGE_CODES.has(code & 0xff)) return error;
  const cause = error as Error;
  return new StoreUnavailable(`the database cannot be used: ${cause.message}`, { cause });
}
