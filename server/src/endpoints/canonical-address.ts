/** The one spelling of an IP address, so that allow-lists, limits and records all mean the same one. */

import { isIP, isIPv4, SocketAddress } from 'node:net';

/** An IP address in its one spelling: IPv4 in IPv6 clothes undressed, IPv6 compressed, no zone. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.split('%', 1)[0] as string;
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  const mapped = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : '';
  return isIPv4(mapped) ? mapped : address;
}
