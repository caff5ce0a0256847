/** Starts the nodes of one store, SQLite or a PostgreSQL of its own, with an operator beside them. Measures nothing but idleness. */

import type { OperationContext } from '../server/src/operations/context.ts';
import { newDataDirectory } from '../server/src/testing/data.ts';
import { asOperator } from '../server/src/testing/onboarding.ts';
import { startPostgres } from '../server/src/testing/postgres.ts';
import { type RunningServer, startServer } from '../server/src/testing/running-server.ts';
import type { RevocationOptions } from './revocation-options.ts';

export type NodesWanted = Pick<RevocationOptions, 'nodes' | 'store' | 'isPollingOnly'>;

export type Nodes = {
  readonly context: OperationContext;
  readonly servers: readonly RunningServer[];
  /** Transactions that the database has committed so far; undefined on SQLite. */
  readonly transactions: (() => Promise<number>) | undefined;
};

/** Runs `body` with nodes that are ready, and ends them whatever happens. */
export async function withNodes<T>(
  options: NodesWanted,
  body: (nodes: Nodes) => Promise<T>,
): Promise<T> {
  if (options.store === 'sqlite') {
    return await onStore(options, { env: {}, transactions: undefined }, body);
  }
  const postgres = await startPostgres();
  if (typeof postgres === 'string') throw new Error(postgres);
  try {
    const url = await postgres.newDatabase();
    const env = {
      COUNTERSIGN_DATABASE_URL: url,
      COUNTERSIGN_DATABASE_NOTIFICATIONS: options.isPollingOnly ? 'off' : 'on',
      COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    };
    const transactions = async (): Promise<number> => {
      const [row] = await postgres.asSuperuser(
        url,
        'select xact_commit::int as commits from pg_stat_database where datname = current_database()',
      );
      return Number(row?.['commits']);
    };
    return await onStore(options, { env, transactions }, body);
  } finally {
    await postgres.stop();
  }
}

function onStore<T>(
  options: NodesWanted,
  store: Pick<Nodes, 'transactions'> & { readonly env: Record<string, string> },
  body: (nodes: Nodes) => Promise<T>,
): Promise<T> {
  const { env, transactions } = store;
  const data = newDataDirectory();
  const settings = { ...env, COUNTERSIGN_PUBLIC_URL: 'https://auth.bank.example' };
  return asOperator(
    data,
    async (context) => {
      const servers: RunningServer[] = [];
      const kill = (): void => {
        for (const server of servers) server.process.kill('SIGKILL');
      };
      process.once('exit', kill);
      try {
        for (let node = 0; node < options.nodes; node += 1) {
          servers.push(await startServer(data, { env: settings }));
        }
        return await body({ context, servers, transactions });
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
        process.off('exit', kill);
      }
    },
    settings,
  );
}
