/**
 * The configuration: one annotated table. The only reader of environment variables; a flag wins over its variable, that over the
 * file, and that over the default.
 */

import { readFileSync } from 'node:fs';
import { isEnvironmentTag } from './credentials/identifiers.ts';
import { blockTest } from './http/addresses.ts';
import { OPERATORS } from './ports/model.ts';

/** What is wrong with the configuration and where it stands, in one sentence for the operator. */
class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export type ListenAt = { readonly host: string; readonly port: number };
export type ConfiguredEnvironment = {
  readonly name: string;
  readonly tag: string;
  /** Left out: `publicUrl` and the name. */
  readonly issuer?: string;
};

type Setting<T> = {
  readonly doc: string;
  readonly flag?: string;
  readonly variable?: string;
  /** False: it is a secret and stands in no file. */
  readonly inFile?: false;
  /** Reads a text (flag, variable) or a JSON value (file); throws a sentence that begins with what is expected. */
  readonly read: (value: unknown) => T;
  readonly fallback: T;
};

const LEASE_MS_MIN = 1_000;
const LEASE_MS_MAX = 600_000;
const WORKERS_MAX = 64;

/** Every setting, in the order of its documentation. */
export const SETTINGS = {
  data: setting({
    doc: 'Data directory: database, journal and, unless told otherwise, the master key.',
    flag: 'data',
    variable: 'COUNTERSIGN_DATA',
    read: text,
    fallback: './data',
  }),
  databaseUrl: setting<string | undefined>({
    doc: 'PostgreSQL that keeps everything instead of the data directory, for many nodes: postgres://USER@HOST:PORT/NAME. TLS is verified unless it says sslmode=disable or the host is this machine; a password may stand in PGPASSWORD.',
    flag: 'database-url',
    variable: 'COUNTERSIGN_DATABASE_URL',
    read: databaseUrl,
    fallback: undefined,
  }),
  toDatabaseUrl: setting<string | undefined>({
    doc: 'For `store copy` alone: the empty PostgreSQL to move a data directory to.',
    flag: 'to-database-url',
    variable: 'COUNTERSIGN_TO_DATABASE_URL',
    inFile: false,
    read: databaseUrl,
    fallback: undefined,
  }),
  databaseNotifications: setting<'on' | 'off'>({
    doc: 'Whether PostgreSQL tells nodes of changes (LISTEN): on or off. Off behind a pooler in transaction mode; nodes then hear of them by asking every 100 ms.',
    variable: 'COUNTERSIGN_DATABASE_NOTIFICATIONS',
    read: oneOf('on', 'off'),
    fallback: 'on',
  }),
  migrations: setting<'auto' | 'off'>({
    doc: 'Whether servers and commands bring an older schema up to date by themselves: auto or off. Off, only `countersign migrate` does; a new store is made in any case.',
    variable: 'COUNTERSIGN_MIGRATIONS',
    read: oneOf('auto', 'off'),
    fallback: 'auto',
  }),
  listen: setting<ListenAt>({
    doc: 'Address of the public listener: /token and the rest below each issuer.',
    flag: 'listen',
    variable: 'COUNTERSIGN_LISTEN',
    read: hostAndPort,
    fallback: { host: '127.0.0.1', port: 8080 },
  }),
  adminListen: setting<ListenAt>({
    doc: 'Address of the admin listener: health, and the admin API.',
    flag: 'admin-listen',
    variable: 'COUNTERSIGN_ADMIN_LISTEN',
    read: hostAndPort,
    fallback: { host: '127.0.0.1', port: 8081 },
  }),
  adminUrl: setting<string | undefined>({
    doc: 'URL that operators reach the admin listener by; they get their tokens below this and /admin. Default: the listener itself.',
    flag: 'admin-url',
    variable: 'COUNTERSIGN_ADMIN_URL',
    read: issuerUrl,
    fallback: undefined,
  }),
  publicUrl: setting<string | undefined>({
    doc: 'URL that partners reach the public listener by; issuers are this and /NAME. Default: the listener itself.',
    flag: 'public-url',
    variable: 'COUNTERSIGN_PUBLIC_URL',
    read: issuerUrl,
    fallback: undefined,
  }),
  environments: setting<readonly ConfiguredEnvironment[]>({
    doc: 'Environments of a new data directory: name, tag of its identifiers, and an issuer URL of its own if it has one.',
    read: environments,
    fallback: [
      { name: 'sandbox', tag: 'test' },
      { name: 'production', tag: 'live' },
    ],
  }),
  workers: setting({
    doc: 'Server processes on this machine. Each is a node with a lease of its own.',
    flag: 'workers',
    variable: 'COUNTERSIGN_WORKERS',
    read: integer(1, WORKERS_MAX),
    fallback: 1,
  }),
  tlsCertificate: setting<string | undefined>({
    doc: 'PEM file with the certificate chain, for HTTPS without a proxy; reloaded when it changes.',
    flag: 'tls-certificate',
    variable: 'COUNTERSIGN_TLS_CERTIFICATE',
    read: text,
    fallback: undefined,
  }),
  tlsKey: setting<string | undefined>({
    doc: 'PEM file with the private key of that certificate.',
    flag: 'tls-key',
    variable: 'COUNTERSIGN_TLS_KEY',
    read: text,
    fallback: undefined,
  }),
  trustedProxies: setting<readonly string[]>({
    doc: 'Addresses (CIDR) of the TLS proxies in front. When there are any, nobody else is served.',
    flag: 'trusted-proxy',
    variable: 'COUNTERSIGN_TRUSTED_PROXIES',
    read: cidrs,
    fallback: [],
  }),
  gateways: setting<readonly string[]>({
    doc: 'Addresses (CIDR) of gateways that may ask /verify without credentials: sockets, not what a header says.',
    flag: 'gateway',
    variable: 'COUNTERSIGN_GATEWAYS',
    read: cidrs,
    fallback: [],
  }),
  masterKeyFile: setting<string | undefined>({
    doc: 'File with the master key. Default: master.key in the data directory, made when the directory is new.',
    flag: 'master-key-file',
    variable: 'COUNTERSIGN_MASTER_KEY_FILE',
    read: text,
    fallback: undefined,
  }),
  masterKeyCommand: setting<string | undefined>({
    doc: 'Shell command that prints the master key, such as a call of a key management service.',
    variable: 'COUNTERSIGN_MASTER_KEY_COMMAND',
    read: text,
    fallback: undefined,
  }),
  masterKey: setting<string | undefined>({
    doc: 'The master key itself: 32 bytes as base64 or hexadecimal.',
    variable: 'COUNTERSIGN_MASTER_KEY',
    inFile: false,
    read: text,
    fallback: undefined,
  }),
  newMasterKeyFile: setting<string | undefined>({
    doc: 'For `keys rewrap` alone: file with the master key to put the store under. Made if there is none.',
    flag: 'new-master-key-file',
    variable: 'COUNTERSIGN_NEW_MASTER_KEY_FILE',
    inFile: false,
    read: text,
    fallback: undefined,
  }),
  newMasterKey: setting<string | undefined>({
    doc: 'For `keys rewrap` alone: the master key itself to put the store under.',
    variable: 'COUNTERSIGN_NEW_MASTER_KEY',
    inFile: false,
    read: text,
    fallback: undefined,
  }),
  leaseMs: setting({
    doc: 'How long a node may decide without news from the store, in milliseconds: the longest wait for a receipt.',
    variable: 'COUNTERSIGN_LEASE_MS',
    read: integer(LEASE_MS_MIN, LEASE_MS_MAX),
    fallback: 30_000,
  }),
  requestTimeoutMs: setting({
    doc: 'How long a request may take to arrive, in milliseconds.',
    variable: 'COUNTERSIGN_REQUEST_TIMEOUT_MS',
    read: integer(100, 300_000),
    fallback: 10_000,
  }),
  githubKeys: setting<string | undefined>({
    doc: 'Where the keys stand that GitHub signs its secret scanning alerts with, a URL (https://api.github.com/meta/public_keys/secret_scanning) or a file with the same JSON: opens /leaks/github. Default: closed.',
    variable: 'COUNTERSIGN_GITHUB_KEYS',
    read: text,
    fallback: undefined,
  }),
  logLevel: setting<'error' | 'warn' | 'info' | 'debug'>({
    doc: 'Least severe log lines to write: error, warn, info or debug.',
    variable: 'COUNTERSIGN_LOG_LEVEL',
    read: oneOf('error', 'warn', 'info', 'debug'),
    fallback: 'info',
  }),
};

type Settings = typeof SETTINGS;
export type Config = { readonly [Name in keyof Settings]: Settings[Name]['fallback'] };
export type Flags = Readonly<Record<string, string | readonly string[] | undefined>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** Reads the configuration. Throws `ConfigurationError`, naming the setting and where its value came from. */
export function readConfig(sources: { readonly flags: Flags; readonly env: Env }): Config {
  const { flags, env } = sources;
  const file = readFile(flags['config'] ?? env['COUNTERSIGN_CONFIG']);
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    config[name] = chosenValue(name, setting, { flags, env, file });
  }
  return checked(config as Config);
}

function chosenValue(
  name: string,
  setting: Setting<unknown>,
  sources: { flags: Flags; env: Env; file: Readonly<Record<string, unknown>> },
): unknown {
  const { flags, env, file } = sources;
  const candidates: readonly (readonly [string, unknown])[] = [
    [`--${setting.flag}`, setting.flag === undefined ? undefined : flags[setting.flag]],
    [`${setting.variable}`, setting.variable === undefined ? undefined : env[setting.variable]],
    [`${name} in the configuration file`, file[name]],
  ];
  const given = candidates.find(([, value]) => value !== undefined && value !== '');
  if (given === undefined) return setting.fallback;
  const [from, value] = given;
  try {
    return setting.read(value);
  } catch (error) {
    // A secret's value is never repeated, so no message here holds the value: only what is expected.
    throw new ConfigurationError(`${from}: expected ${(error as Error).message}`);
  }
}

function readFile(path: unknown): Readonly<Record<string, unknown>> {
  if (typeof path !== 'string') return {};
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new ConfigurationError(`--config ${path}: cannot be read: ${why}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigurationError(`--config ${path}: expected one JSON object`);
  }
  for (const key of Object.keys(content)) {
    const known = (SETTINGS as Record<string, Setting<unknown>>)[key];
    if (known === undefined || known.inFile === false) {
      throw new ConfigurationError(`--config ${path}: there is no setting ${JSON.stringify(key)}`);
    }
  }
  return content as Readonly<Record<string, unknown>>;
}

function checked(config: Config): Config {
  if ((config.tlsCertificate === undefined) !== (config.tlsKey === undefined)) {
    throw new ConfigurationError('--tls-certificate and --tls-key go together: give both or none');
  }
  if (config.listen.port === 0 && config.publicUrl === undefined) {
    throw new ConfigurationError(
      '--listen: port 0 gives issuers no URL: choose a port, or say how partners reach it with --public-url',
    );
  }
  const keys = [config.masterKey, config.masterKeyFile, config.masterKeyCommand];
  if (keys.filter((key) => key !== undefined).length > 1) {
    throw new ConfigurationError(
      'the master key is given more than once: choose a file, a value or a command',
    );
  }
  return config;
}

/** The base URL that issuers stand on. */
export function baseUrlOf(config: Pick<Config, 'publicUrl' | 'listen' | 'tlsKey'>): string {
  return config.publicUrl ?? urlOf(config.listen, config.tlsKey !== undefined);
}

/** The issuer of operators' tokens: a partner never meets it. */
export function adminIssuerOf(config: Pick<Config, 'adminUrl' | 'adminListen' | 'tlsKey'>): string {
  const base = config.adminUrl ?? urlOf(config.adminListen, config.tlsKey !== undefined);
  return `${base}/${OPERATORS.environment}`;
}

function urlOf({ host, port }: ListenAt, tls: boolean): string {
  const scheme = tls ? 'https' : 'http';
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

function text(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new Error('a text that is not empty');
}

function integer(min: number, max: number): (value: unknown) => number {
  return (value) => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) {
      return number;
    }
    throw new Error(`a whole number from ${min} to ${max}`);
  };
}

function oneOf<const Choice extends string>(
  ...choices: readonly Choice[]
): (value: unknown) => Choice {
  return (value) => {
    const choice = choices.find((one) => one === value);
    if (choice !== undefined) return choice;
    throw new Error(`one of ${choices.join(', ')}`);
  };
}

function hostAndPort(value: unknown): ListenAt {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text(value));
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Error('HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080');
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

function cidrs(value: unknown): readonly string[] {
  const list = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(list)) throw new Error('addresses such as 10.0.0.0/8');
  const blocks = list.map((block) => text(block).trim());
  try {
    blockTest(blocks);
  } catch {
    throw new Error('addresses such as 10.0.0.7, 10.0.0.0/8 or fd00::/8');
  }
  return blocks;
}

function databaseUrl(value: unknown): string {
  const given = text(value);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const fits = url?.protocol === 'postgres:' || url?.protocol === 'postgresql:';
  // Without a name the driver would guess one.
  if (fits && url.pathname.length > 1) return given;
  throw new Error('a URL such as postgres://countersign@db.bank.example:5432/countersign');
}

/** An issuer has no query and no fragment (RFC 8414 §2), and here no trailing slash, so that it has one spelling. */
function issuerUrl(value: unknown): string {
  const given = text(value);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const fits =
    url !== undefined &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    !given.endsWith('/') &&
    !given.includes('?') &&
    url.href.replace(/\/$/, '') === given;
  if (!fits) throw new Error('a URL such as https://auth.bank.example, without a slash at its end');
  return given;
}

function environments(value: unknown): readonly ConfiguredEnvironment[] {
  const expected =
    'a list of environments, each with a name ([a-z][a-z0-9-]*), a tag ([a-z0-9]{2,12}) and maybe an issuer';
  if (!Array.isArray(value) || value.length === 0) throw new Error(expected);
  const list = value.map((entry: Record<string, unknown>) => {
    const { name, tag, issuer } = entry ?? {};
    if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,31}$/.test(name)) throw new Error(expected);
    if (typeof tag !== 'string' || !isEnvironmentTag(tag)) throw new Error(expected);
    return { name, tag, ...(issuer === undefined ? {} : { issuer: issuerUrl(issuer) }) };
  });
  const distinct = (key: 'name' | 'tag'): boolean =>
    new Set(list.map((entry) => entry[key])).size === list.length;
  if (!distinct('name') || !distinct('tag')) throw new Error(`${expected}, none of them twice`);
  if (list.some(({ name, tag }) => name === OPERATORS.environment || tag === OPERATORS.tag)) {
    const { environment, tag } = OPERATORS;
    throw new Error(
      `${expected}; the name ${environment} and the tag ${tag} are kept for operators`,
    );
  }
  return list;
}
