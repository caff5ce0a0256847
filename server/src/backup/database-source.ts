/** A PostgreSQL database as the source of a backup: the main tables as of one moment, then the journal, a day at a time. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../data-directory.ts';
import { RETENTION_MS } from '../journal/bucket-files.ts';
import { fillBuckets } from '../journal/copied-tokens.ts';
import { dayOf, eachTokenPage, partitionDays } from '../journal/postgres-partitions.ts';
import type { Connections } from '../stores/postgres/connections.ts';
import { COPY_TIMEOUTS, contentOf } from '../stores/postgres/copied-tables.ts';
import { readIn } from '../stores/postgres/executor.ts';
import { planOf } from '../stores/postgres/migrate.ts';
import { connectWriter } from '../stores/sqlite/connect.ts';
import { migrate } from '../stores/sqlite/migrate.ts';
import { BackupRefused } from './archive.ts';
import { copyToFile } from './copy-store.ts';
import { withConnection } from './database-connection.ts';
import { requireSameSchema } from './schema-versions.ts';
import type { Source } from './source.ts';
import type { Tell } from './tell.ts';

/**
 * A node drops what is older than the retention, and would wait for a day that is being read, with every insert behind it. So the
 * oldest days, which end while a backup may run, are not read at all.
 */
const ENDING_DAYS = 2;

export function databaseSource(databaseUrl: string, deps: Deps): Source {
  const connected = <T>(body: (connections: Connections) => Promise<T>): Promise<T> =>
    withConnection(databaseUrl, deps, body);
  return {
    requireStore: () =>
      connected(async (connections) => {
        const content = await connections.use(contentOf);
        if (content === 'store') return;
        throw new BackupRefused(`--database-url: the database holds no store, but ${content}`);
      }),
    copyMain: (path, tell) =>
      connected(async (connections) => {
        const copy = connectWriter(path, 'OFF');
        try {
          const { before } = await planOf(connections);
          requireSameSchema(before, migrate(copy, path).after);
          await connections.use((session) =>
            readIn(session, () => copyToFile(session, copy, tell)),
          );
          copy.exec('PRAGMA wal_checkpoint(TRUNCATE)');
          copy.exec('PRAGMA journal_mode = DELETE');
        } finally {
          copy.close();
        }
      }),
    async *copyJournal(stage, tell) {
      const keptFrom = dayOf(deps.clock.wallMs() - RETENTION_MS) + ENDING_DAYS;
      const days = await connected((connections) =>
        connections.use(({ query }) => partitionDays(query)),
      );
      for (const day of days.filter((one) => one >= keptFrom)) {
        const folder = join(stage, `day-${day}`);
        await mkdir(folder, { mode: 0o700 });
        yield* await connected((connections) => copyDay(connections, { day, folder, tell }));
        await rm(folder, { recursive: true });
      }
    },
  };
}

async function copyDay(
  connections: Connections,
  { day, folder, tell }: { day: number; folder: string; tell: Tell },
): Promise<ReturnType<ReturnType<typeof fillBuckets>['end']>> {
  const filler = fillBuckets(folder);
  const date = new Date(day * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  let copied = 0;
  await connections.use((session) =>
    readIn(session, async () => {
      await session.script(COPY_TIMEOUTS);
      await eachTokenPage(session.query, day, (tokens) => {
        filler.add(tokens);
        copied += tokens.length;
        tell(`copying the journal of ${date}, token ${copied}`);
      });
    }),
  );
  tell(`indexing the journal of ${date}`);
  return filler.end();
}
