/** Allow-lists of addresses as operators type them, brought to the one spelling that stores keep. */

import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { invalid } from './input.ts';

/** Blocks of one client: each is compared at every token request. */
const BLOCKS_MAX = 64;

/** CIDR blocks, each with its length: a bare address means that address alone. */
export function requireAddressBlocks(blocks: readonly string[]): readonly string[] {
  if (blocks.length > BLOCKS_MAX)
    throw invalid(`--allow-ip may be given ${BLOCKS_MAX} times at most`);
  return [...new Set(blocks.map(addressBlock))];
}

function addressBlock(text: string): string {
  const [address = '', length, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : 0;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (bits === 0 || more.length > 0 || prefix < 0 || prefix > bits) {
    throw invalid(
      '--allow-ip must be an address or a block such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32',
    );
  }
  if (bits === 32) return `${address}/${prefix}`;
  const spelled = new SocketAddress({ address, family: 'ipv6' }).address;
  // A caller with an IPv4 address is known by that alone, so a block in IPv6 clothes would let nobody in.
  if (spelled.startsWith('::ffff:')) {
    throw invalid(
      '--allow-ip must be written as IPv4 (192.0.2.7), not as an IPv4 address inside IPv6',
    );
  }
  return `${spelled}/${prefix}`;
}
