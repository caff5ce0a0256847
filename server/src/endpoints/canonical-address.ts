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

/** An IPv4 address itself; of an IPv6 address the 64 bits in front, since whoever has one address of such a network has them all. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back = ''] = address.split('::', 2);
  const groups = front === '' ? [] : front.split(':');
  const isShortened = address.includes('::');
  const missing = isShortened ? 8 - groups.length - (back === '' ? 0 : back.split(':').length) : 0;
  const whole = [...groups, ...Array.from({ length: missing }, () => '0'), ...back.split(':')];
  return `${whole.slice(0, 4).join(':')}::/64`;
}
