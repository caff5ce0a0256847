/**
 * Whole partitions of the journal on PostgreSQL, as they are copied out into buckets and in from them: rows by the page, in no order.
 * Connections are handed in.
 */

import { BUCKET_MS, bucketStart } from './bucket-files.ts';
import type { CopiedToken } from './copied-tokens.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ROWS_PER_PAGE = 5_000;
const NAME = /^issued_tokens_(\d{1,7})$/;

type Run = (
  text: string,
  values?: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>;

/** The days that have a partition, oldest first, counted from the epoch. */
export async function partitionDays(run: Run): Promise<readonly number[]> {
  const rows = await run(
    "select relname from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'issued_tokens'::regclass",
  );
  return rows
    .flatMap(({ relname }) => NAME.exec(String(relname))?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);
}

export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);

/** Hands over the tokens of a day, each with the start of its bucket; inside a transaction of its own. */
export async function eachTokenPage(
  run: Run,
  day: number,
  take: (tokens: readonly { readonly bucketMs: number; readonly token: CopiedToken }[]) => void,
): Promise<void> {
  // The partition by its own name: a lock on the whole table would hold up whoever drops an old one, and all inserts behind that.
  await run(
    `declare journal no scroll cursor for select committed_at_ms, ${COLUMNS.join(', ')} from issued_tokens_${day}`,
  );
  for (;;) {
    const rows = await run(`fetch ${ROWS_PER_PAGE} from journal`);
    if (rows.length === 0) break;
    take(
      rows.map((row) => ({
        bucketMs: bucketStart(Number(row['committed_at_ms']), BUCKET_MS),
        token: COLUMNS.map((column) => row[column]) as unknown as CopiedToken,
      })),
    );
  }
  await run('close journal');
}

const COLUMNS = [
  'issued_at_ms',
  'lifetime_s',
  'client',
  'generation',
  'secret',
  'scope_set',
  'resource',
  'jti',
  'address',
];

/** Makes the partition of a day apart from the table, where it is filled without an index. */
export async function createPartition(run: Run, day: number): Promise<void> {
  await run(
    `create table issued_tokens_${day} (like issued_tokens including defaults including constraints)`,
  );
}

/** Puts it into the table, which indexes it. */
export async function attachPartition(run: Run, day: number): Promise<void> {
  await run(
    `alter table issued_tokens attach partition issued_tokens_${day} for values from (${day * DAY_MS}) to (${(day + 1) * DAY_MS})`,
  );
}

/** Inserts the tokens of one bucket. When each was committed is not known to the millisecond: in its bucket, close to its issuance. */
export async function insertTokens(
  run: Run,
  { startMs }: { readonly startMs: number },
  tokens: readonly CopiedToken[],
): Promise<void> {
  const committed = tokens.map(([issuedAtMs]) =>
    Math.min(Math.max(issuedAtMs, startMs), startMs + BUCKET_MS - 1),
  );
  const values = COLUMNS.map((_, index) => tokens.map((token) => token[index]));
  await run(
    `insert into issued_tokens_${dayOf(startMs)} (committed_at_ms, ${COLUMNS.join(', ')}) select * from unnest($1::bigint[],
      $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[])`,
    [committed, ...values],
  );
}
