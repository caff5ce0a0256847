/** Where a listener may stand, and what to do when it cannot. Opens nothing itself. */

import { canonicalAddress } from '../endpoints/canonical-address.ts';
import { blockTest } from './addresses.ts';

const isLoopbackAddress = blockTest(['127.0.0.0/8', '::1']);

export type ListenAddress = { readonly host: string; readonly port: number };

/** Whether only this machine can reach the host. A name other than `localhost` may resolve to anything. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const address = canonicalAddress(host);
  return address !== undefined && isLoopbackAddress(address);
}

/** Undefined when secrets are safe on the way to this listener; otherwise one sentence that says how to mend it. */
export function checkListenAddress(listener: {
  readonly host: string;
  readonly tls: boolean;
  readonly trustedProxies: readonly string[];
}): string | undefined {
  if (listener.tls || listener.trustedProxies.length > 0 || isLoopback(listener.host))
    return undefined;
  return (
    `Refusing to serve plain HTTP on ${listener.host}, where secrets could be read on the way: give a certificate ` +
    'and key for HTTPS, or declare the addresses of the TLS proxy in front, or listen on 127.0.0.1.'
  );
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function addressText({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Says which address could not be had and what to do. `option` is the one that chooses it, such as `--listen`. */
export function listenError(
  cause: unknown,
  at: ListenAddress & { readonly option: string },
): Error {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new Error(`Cannot listen on ${addressText(at)}: ${listenAdvice(code, at.option)}`, {
    cause,
  });
}

function listenAdvice(code: string, option: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `another process listens there. Stop it, or choose another address with ${option} HOST:PORT.`;
    case 'EACCES':
      return `this user may not. Choose a port above 1023 with ${option} HOST:PORT, or grant the right to bind it.`;
    case 'EADDRNOTAVAIL':
      return `this machine has no such address. Choose one that it has with ${option} HOST:PORT.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `that name has no address here. Give an IP address with ${option} HOST:PORT.`;
    default:
      return `${code === '' ? 'unknown reason' : code}. Choose another address with ${option} HOST:PORT.`;
  }
}
