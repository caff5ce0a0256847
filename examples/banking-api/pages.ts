/** Lists in pages: a cursor names the last row of the page before, so that rows written meanwhile shift nothing. */

import type { DatabaseSync } from 'node:sqlite';
import { Refused } from './answer.ts';

const ITEMS_DEFAULT = 20;
const ITEMS_MAX = 100;

export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | undefined };
export type PageRequest = { readonly limit: number; readonly cursor: string | undefined };

type List = {
  readonly table: 'profiles' | 'accounts' | 'transactions';
  readonly id: string;
  /** The column that says whose rows these are. */
  readonly owner: 'program_id' | 'account_id';
  readonly columns: string;
  readonly newestFirst: boolean;
};

export const PAGE_PARAMETERS = {
  limit: { type: 'integer', minimum: 1, maximum: ITEMS_MAX, default: ITEMS_DEFAULT },
  cursor: { type: 'string', description: 'The next_cursor of the page before.' },
};

/** What a URL asks for. */
export function pageRequest(query: URLSearchParams): PageRequest {
  const one = (name: string): string | undefined => {
    const values = query.getAll(name);
    if (values.length > 1) throw wrong(name, 'stand in the URL once');
    return values[0];
  };
  const limit = one('limit') ?? String(ITEMS_DEFAULT);
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > ITEMS_MAX) {
    throw wrong('limit', `be a whole number from 1 to ${ITEMS_MAX}`);
  }
  return { limit: Number(limit), cursor: one('cursor') };
}

function wrong(parameter: string, must: string): Refused {
  return new Refused('invalid-request', `${parameter} must ${must}.`, { at: { parameter } });
}

/** Makes the reader of one list. A cursor of another owner's row is as unknown as one that was never given out. */
export function pagesOf<T extends Readonly<Record<string, unknown>>>(
  database: DatabaseSync,
  list: List,
): (owner: string, request: PageRequest) => Page<T> {
  const { table, id, owner, columns, newestFirst } = list;
  const [compare, order] = newestFirst ? ['<', 'desc'] : ['>', 'asc'];
  const before = newestFirst ? Number.MAX_SAFE_INTEGER : 0;
  const find = database.prepare(`select ordinal from ${table} where ${owner} = ? and ${id} = ?`);
  const select = database.prepare(
    `select ${columns} from ${table} where ${owner} = ? and ordinal ${compare} ? ` +
      `order by ordinal ${order} limit ?`,
  );
  return (whose, { limit, cursor }) => {
    const last = cursor === undefined ? { ordinal: before } : find.get(whose, decode(cursor));
    if (last === undefined) throw wrong('cursor', 'be one that this list gave out');
    // One row more than asked for tells whether there is a next page.
    const rows = select.all(whose, last['ordinal'] ?? before, limit + 1) as unknown as T[];
    const items = rows.slice(0, limit);
    const lastItem = rows.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: lastItem && encode(String(lastItem[id])) };
  };
}

/** The id and not the ordinal: that would tell how many rows other programs have written. */
function encode(id: string): string {
  return Buffer.from(id).toString('base64url');
}

function decode(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}
