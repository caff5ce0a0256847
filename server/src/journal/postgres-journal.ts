/**
 * The journal on PostgreSQL: tokens of requests that arrive together are one insert of many rows, at most one at a time; the
 * next one collects meanwhile. Knows columns and batches; connections are handed in.
 */

import type { IssuedToken, Journal } from '../ports/journal.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { ADDRESS_BYTES, writeAddress } from './address.ts';
import { fitsRecord } from './batch.ts';
import { RETENTION_MS } from './bucket-files.ts';

/** How many tokens may wait for the batch in flight. */
export const QUEUE_TOKENS_MAX = 16_384;
/** Rows of one insert: a longer queue goes out in several, each well within the database's own time-out. */
const BATCH_TOKENS_MAX = 4_096;
/** Partitions are made this far ahead, so that a week of failing maintenance costs no token. */
const DAYS_AHEAD = 7;
const MAINTENANCE_INTERVAL_MS = 60 * 60 * 1000;

/** Runs one statement on a connection of the journal's own and commits it; rejects when the commit is not certain. */
export type RunStatement = (text: string, values: readonly unknown[]) => Promise<unknown>;

export type PostgresJournalOptions = {
  readonly run: RunStatement;
  readonly retentionMs?: number;
  /** Told when partitions could not be made or dropped; no token is lost by that for a week. */
  readonly onTrouble: (message: string) => void;
  /** Releases the connections. */
  readonly end: () => Promise<void>;
};

type Waiting = { readonly tokens: IssuedToken[]; readonly committed: PromiseWithResolvers<void> };

/** Opens the journal: its partitions for the days ahead are there when this resolves. */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { run, retentionMs = RETENTION_MS, onTrouble } = options;
  const maintain = (): Promise<unknown> =>
    run('select prepare_journal($1, $2)', [retentionMs, DAYS_AHEAD]);
  await maintain();
  const timer = setInterval(() => {
    maintain().catch((error: Error) => onTrouble(`partitions: ${error.message}`));
  }, MAINTENANCE_INTERVAL_MS);
  timer.unref();

  const queue: Waiting[] = [];
  let queued = 0;
  let sending: Promise<void> | undefined;
  let isClosed = false;

  /** Sends batch after batch until none is left. Never rejects: whoever waits is told. */
  const send = async (): Promise<void> => {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
      queued -= batch.tokens.length;
      try {
        await run(INSERT, columnsOf(batch.tokens));
        batch.committed.resolve();
      } catch (error) {
        // Whoever waits behind a database that does not answer has waited long enough.
        const rest = error instanceof StoreUnavailable ? queue.splice(0) : [];
        for (const failed of [batch, ...rest]) {
          if (failed !== batch) queued -= failed.tokens.length;
          const reason = `not journaled: ${(error as Error).message}`;
          failed.committed.reject(new StoreUnavailable(reason, { cause: error }));
        }
      }
    }
    sending = undefined;
  };

  const collecting = (): Waiting => {
    const last = queue.at(-1);
    if (last !== undefined && last.tokens.length < BATCH_TOKENS_MAX) return last;
    const next = { tokens: [], committed: Promise.withResolvers<void>() };
    queue.push(next);
    return next;
  };

  return {
    append: (token) => {
      if (isClosed) return Promise.reject(new StoreUnavailable('the journal is closed'));
      if (queued >= QUEUE_TOKENS_MAX) {
        return Promise.reject(new StoreUnavailable('the journal has too many tokens waiting'));
      }
      if (!fitsRecord(token)) return Promise.reject(new RangeError('a field exceeds its column'));
      const batch = collecting();
      batch.tokens.push(token);
      queued += 1;
      // Not a microtask: the first request of a burst would travel alone.
      sending ??= new Promise<void>((resolve) => setImmediate(resolve)).then(send);
      return batch.committed.promise;
    },
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await sending;
      await options.end();
    },
  };
}

const INSERT = `
  insert into issued_tokens
    (issued_at_ms, lifetime_s, client, generation, secret, scope_set, resource, jti, address)
  select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[])`;

/** One array a column, in PostgreSQL's own text for arrays: a quarter of what the driver's generic conversion costs. */
function columnsOf(tokens: readonly IssuedToken[]): readonly string[] {
  const numbers = (of: (token: IssuedToken) => number): string => `{${tokens.map(of).join(',')}}`;
  const bytes = (of: (token: IssuedToken) => Uint8Array): string =>
    `{${tokens.map((token) => `"\\\\x${hexOf(of(token))}"`).join(',')}}`;
  return [
    numbers((token) => token.issuedAtMs),
    numbers((token) => token.lifetimeSeconds),
    numbers((token) => token.client),
    numbers((token) => token.generation),
    numbers((token) => token.secret),
    numbers((token) => token.scopeSet),
    numbers((token) => token.resource),
    bytes((token) => token.jti),
    bytes((token) => addressOf(token.address)),
  ];
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function addressOf(text: string): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  writeAddress(text, bytes, 0);
  return bytes;
}
