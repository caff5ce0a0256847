/** Finds out, before anything is started, whether every address is free. Knows nothing of who will listen there. */

import { createServer } from 'node:net';
import { type Address, addressText } from './options.ts';

export type Wanted = { readonly at: Address; readonly by: string; readonly option: string };

/** Throws one Error that names every address that cannot be had, and what to do. */
export async function requireFree(wanted: readonly Wanted[]): Promise<void> {
  const troubles: string[] = [];
  for (const one of wanted) {
    const trouble = await troubleWith(one.at);
    if (trouble !== undefined) {
      troubles.push(
        `${addressText(one.at)} (for ${one.by}) ${trouble}: choose another with ${one.option} HOST:PORT`,
      );
    }
  }
  if (troubles.length === 0) return;
  const flags = wanted.map(({ at, option }) => `${option} ${at.host}:${at.port + 1000}`).join(' ');
  throw new Error(
    `${troubles.join('\n')}\nIs another npm start running? Stop it, or start on other ports: npm start -- ${flags}`,
  );
}

function troubleWith({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(words('code' in error ? error.code : error.message)));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

function words(code: unknown): string {
  if (code === 'EADDRINUSE') return 'is in use';
  if (code === 'EACCES') return 'may not be used by this user';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'is no address of this machine';
  return `cannot be had (${code})`;
}
