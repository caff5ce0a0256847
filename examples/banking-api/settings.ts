/** The settings of the Banking API: the one place that reads the environment. Opens nothing and connects to nothing. */

import { isIP } from 'node:net';

export type Settings = {
  readonly host: string;
  readonly port: number;
  /** Base URL of the environment whose tokens count here, without a trailing slash. */
  readonly issuer: string;
  /** This API's own credentials: a client made with `--resource-server`. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** The folder of this API's own database. */
  readonly data: string;
};

const LISTEN_DEFAULT = '127.0.0.1:8090';
const ISSUER_DEFAULT = 'http://127.0.0.1:8080/sandbox';
const DATA_DEFAULT = './data-banking-api';
const PORT_MAX = 65_535;

/** Reads the settings. Throws an Error that names the variable and says what would do; it never quotes a secret. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const given = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const required = (name: string): string => {
    const value = given(name);
    if (value !== undefined) return value;
    throw new Error(
      `${name} is missing: give the credentials of a client made with --resource-server.`,
    );
  };
  return {
    ...listenAddress(given('BANKING_API_LISTEN') ?? LISTEN_DEFAULT),
    issuer: issuerUrl(given('ISSUER') ?? ISSUER_DEFAULT),
    clientId: required('CLIENT_ID'),
    clientSecret: required('CLIENT_SECRET'),
    data: given('BANKING_API_DATA') ?? DATA_DEFAULT,
  };
}

/** Access tokens travel over HTTPS only (RFC 6750 §5.3), and this sample speaks none: it stays on this machine. */
function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', digits = ''] = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === '' || port > PORT_MAX) {
    throw new Error(`BANKING_API_LISTEN must be HOST:PORT, such as ${LISTEN_DEFAULT}.`);
  }
  if (isLoopback(host)) return { host, port };
  throw new Error(
    `BANKING_API_LISTEN must be a loopback address, since tokens must not cross a network over plain HTTP: ` +
      `listen on ${LISTEN_DEFAULT} and put a TLS proxy in front.`,
  );
}

function issuerUrl(text: string): string {
  const url = URL.parse(text);
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const protects = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(host));
  if (protects) return text.replace(/\/$/, '');
  throw new Error(
    `ISSUER must be an https URL, or an http one on this machine: ${ISSUER_DEFAULT}.`,
  );
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
