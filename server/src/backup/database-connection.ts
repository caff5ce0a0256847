/** A connection for copying everything: one, and with the patience that this takes. */

import type { Deps } from '../data-directory.ts';
import { type Connections, openConnections } from '../stores/postgres/connections.ts';

/** A commit of everything, or an index over a day of tokens, takes its time. */
const EXCHANGE_MS_MAX = 600_000;

export async function withConnection<T>(
  databaseUrl: string,
  { randomness }: Pick<Deps, 'randomness'>,
  body: (connections: Connections) => Promise<T>,
): Promise<T> {
  const connections = openConnections({
    databaseUrl,
    connectionsMax: 1,
    randomness,
    exchangeMsMax: EXCHANGE_MS_MAX,
  });
  try {
    return await body(connections);
  } finally {
    await connections.close();
  }
}
