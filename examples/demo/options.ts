/** What `npm start -- …` understands. Opens nothing; a mistake is one sentence that says what would do. */

import { parseArgs } from 'node:util';

export type Address = { readonly host: string; readonly port: number };

export type Options = {
  readonly listen: Address;
  readonly adminListen: Address;
  readonly apiListen: Address;
  /** Folder of the authority; the Banking API keeps its own beside it. */
  readonly data: string;
};

export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

const DEFAULTS = {
  listen: '127.0.0.1:8080',
  'admin-listen': '127.0.0.1:8081',
  'api-listen': '127.0.0.1:8090',
  data: './data',
};

export const USAGE = `npm start [-- OPTIONS]

  --listen HOST:PORT        the authority: /token and the rest   (${DEFAULTS.listen})
  --admin-listen HOST:PORT  the authority's admin listener       (${DEFAULTS['admin-listen']})
  --api-listen HOST:PORT    the sample Banking API               (${DEFAULTS['api-listen']})
  --data DIR                folder of the authority; the Banking API's is DIR-banking-api  (${DEFAULTS.data})`;

/** Reads the options; undefined when help is asked for. Throws `WrongUsage`. */
export function readOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const text = (name: keyof typeof DEFAULTS): string => values[name] ?? DEFAULTS[name];
  return {
    listen: address('--listen', text('listen')),
    adminListen: address('--admin-listen', text('admin-listen')),
    apiListen: address('--api-listen', text('api-listen')),
    data: text('data').replace(/(?<=.)\/+$/, ''),
  };
}

export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    listen: text,
    'admin-listen': text,
    'api-listen': text,
    data: text,
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : 'the options cannot be read');
  }
}

function address(option: string, value: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  // Others have to be told where it listens, so that a port chosen by the system would not do.
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new WrongUsage(`${option} must be HOST:PORT, such as ${DEFAULTS.listen}`);
}
