/** The journal's reader: one query at a time, each in a thread of its own. Works beside writers of any process. */

import { Worker } from 'node:worker_threads';
import type { IssuedToken, JournalReader } from '../ports/journal.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { BUCKET_MS } from './bucket-files.ts';
import type { TokenQuery } from './read-tokens.ts';
import type { ReadAnswer } from './read-worker.ts';

/** How many queries may wait for the one that runs. People ask them, not requests for tokens. */
const READS_WAITING_MAX = 32;

/** How many tokens one query may return. */
const READ_TOKENS_MAX = 10_000;

export type JournalReaderOptions = {
  readonly directory: string;
  /** The writers' bucket, or rows near a bucket's edge are missed. */
  readonly bucketMs?: number;
};

/** A reader of all slots' buckets in `directory`. Holds nothing open between queries. */
export function openJournalReader(options: JournalReaderOptions): JournalReader {
  const { directory, bucketMs = BUCKET_MS } = options;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    async list({ client, sinceMs, untilMs = Number.MAX_SAFE_INTEGER, limit }) {
      if (waiting >= READS_WAITING_MAX) throw new StoreUnavailable('too many journal queries wait');
      if (!(Number.isInteger(limit) && limit > 0)) throw new RangeError('a limit is at least 1');
      waiting += 1;
      const query = {
        directory,
        bucketMs,
        client,
        sinceMs,
        untilMs,
        limit: Math.min(limit, READ_TOKENS_MAX),
      };
      const answer = last.then(() => readInThread(query));
      last = answer.catch(() => {}).finally(() => (waiting -= 1));
      return await answer;
    },
  };
}

function readInThread(query: TokenQuery): Promise<readonly IssuedToken[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./read-worker.ts', import.meta.url), { workerData: query });
    worker.on('message', (answer: ReadAnswer) => {
      if ('tokens' in answer) resolve(answer.tokens);
      else reject(new StoreUnavailable(`the journal cannot be read: ${answer.failure}`));
    });
    worker.on('error', reject);
    // After an answer this changes nothing.
    worker.on('exit', () => reject(new StoreUnavailable('the journal query was cut off')));
  });
}
