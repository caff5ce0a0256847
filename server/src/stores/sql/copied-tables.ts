/**
 * What becomes of each table when a store is copied from one database to another, into a backup or onto another engine. Typed by
 * the tables there are: a new one without a decision does not compile. Knows no database.
 */

import type { Tables } from './schema.ts';

type Plan =
  /** Copied row by row, `ordinal` as it is, and what its database gives out next moved past every number given out before. */
  | 'with ordinals'
  | 'copied'
  /** Means nothing on another database: who is registered there, whose turn it is. */
  | 'left';

/** In an order in which each row finds those that it refers to. The head row comes last: without it there is no store. */
const PLANS: Readonly<Record<keyof Tables, Plan>> = {
  environments: 'copied',
  programs: 'with ordinals',
  clients: 'with ordinals',
  secrets: 'with ordinals',
  secret_uses: 'copied',
  claims: 'copied',
  scopes: 'copied',
  scope_sets: 'copied',
  resources: 'copied',
  revoked_tokens: 'copied',
  suspensions: 'with ordinals',
  approvals: 'copied',
  keys: 'copied',
  policies: 'copied',
  quota_uses: 'copied',
  idempotency: 'copied',
  refusals: 'copied',
  changes: 'copied',
  audit: 'copied',
  signing_keys: 'copied',
  checkpoints: 'copied',
  webhooks: 'copied',
  nodes: 'left',
  duties: 'left',
  store: 'copied',
};

export type TableName = keyof Tables;

/** Of the head row, which tells whether there is a store. */
export const HEAD_TABLE = 'store' satisfies TableName;

const names = Object.keys(PLANS) as TableName[];
/** All of them, in order. */
export const ALL_TABLES: readonly TableName[] = names;
export const COPIED_TABLES: readonly TableName[] = names.filter((name) => PLANS[name] !== 'left');
export const TABLES_WITH_ORDINALS: readonly TableName[] = names.filter(
  (name) => PLANS[name] === 'with ordinals',
);

/** A row as it travels: the same columns and the same values on either engine. */
export type CopiedRow = Readonly<Record<string, unknown>>;

/** Rows that travel together; a row of the change log may be a hundred thousand bytes. */
export const ROWS_PER_PAGE = 500;

/** Columns of the rows of a page; throws when the target has others, as then one of the schemas is not what it should be. */
export function sharedColumns(
  table: TableName,
  row: CopiedRow,
  target: readonly string[],
): readonly string[] {
  const columns = Object.keys(row).sort();
  if (columns.join() === [...target].sort().join()) return columns;
  throw new Error(`the table ${table} has other columns there: ${target.join(', ')}`);
}
