/** Whose request it is: the peer's address, or the one that a declared proxy vouches for. Undeclared peers vouch for nothing. */

import { BlockList, isIP, isIPv4 } from 'node:net';
import { canonicalAddress } from '../endpoints/canonical-address.ts';
import type { Head } from './head.ts';

/** More proxies than this in a row is a loop or an attack. */
const HOPS_MAX = 16;

/** Verdicts remembered on addresses; a verdict costs a microsecond, a look-up a tenth. */
const VERDICTS_MAX = 1_024;

export type Caller =
  | { readonly address: string }
  | { readonly refused: 'untrusted-peer' | 'plain-http' | 'malformed-forwarding' };

export type Addresses = (peer: string | undefined, head: Head) => Caller;

/** A list of CIDR blocks (`10.0.0.0/8`, `::1`, `2001:db8::/32`) as a test; throws on what is not one. */
export function blockTest(blocks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const block of blocks) addBlock(list, block);
  return remembered((address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6'));
}

function addBlock(list: BlockList, block: string): void {
  const [text = '', length, ...more] = block.split('/');
  const address = canonicalAddress(text);
  const bits = address === undefined || isIPv4(address) ? 32 : 128;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const undressed = bits === 32 && isIP(text) === 6 ? 96 : 0;
  const prefix = length === undefined ? bits : Number(length) - undressed;
  const sound = length === undefined || /^\d{1,3}$/.test(length);
  if (address === undefined || more.length > 0 || !sound || prefix < 0 || prefix > bits) {
    throw new Error(
      `Not an address block: ${block}. Write it as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.`,
    );
  }
  list.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** How callers are told apart: by their socket, or by what the declared proxies say. */
export function makeAddresses(trustedProxies: readonly string[]): Addresses {
  if (trustedProxies.length === 0) return (peer) => ({ address: peerAddress(peer) });
  const isProxy = blockTest(trustedProxies);
  return (peer, head) => {
    const address = peerAddress(peer);
    if (address === '' || !isProxy(address)) return { refused: 'untrusted-peer' };
    if (!isHttps(head.forwardedProto)) return { refused: 'plain-http' };
    return forwardedCaller(head.forwardedFor, address, isProxy);
  };
}

/** The address of a socket's other end; '' when it is gone. */
export function peerAddress(peer: string | undefined): string {
  if (peer === undefined) return '';
  // A dual-stack listener sees IPv4 callers as ::ffff:192.0.2.7; nearly all others are spelled right already.
  return peer.startsWith('::ffff:') ? (canonicalAddress(peer) ?? '') : peer;
}

/** Every hop must have been encrypted, so each of several values must say so. */
function isHttps(forwardedProto: string): boolean {
  return (
    forwardedProto !== '' &&
    forwardedProto.split(',').every((value) => value.trim().toLowerCase() === 'https')
  );
}

/** The rightmost entry that is not a proxy of ours: everything left of it was written by the caller. */
function forwardedCaller(
  forwardedFor: string,
  peer: string,
  isProxy: (address: string) => boolean,
): Caller {
  if (forwardedFor === '') return { address: peer };
  const entries = forwardedFor.split(',');
  let nearest = peer;
  for (let hop = 1; hop <= Math.min(entries.length, HOPS_MAX); hop++) {
    const address = forwardedAddress((entries[entries.length - hop] as string).trim());
    if (address === undefined) return { refused: 'malformed-forwarding' };
    if (!isProxy(address)) return { address };
    nearest = address;
  }
  return entries.length > HOPS_MAX ? { refused: 'malformed-forwarding' } : { address: nearest };
}

/** Some proxies add the port: `192.0.2.7:4711`, `[2001:db8::1]:4711`. */
function forwardedAddress(entry: string): string | undefined {
  const [, address = entry] =
    /^\[(.+)\](?::\d+)?$/.exec(entry) ?? /^([\d.]+):\d+$/.exec(entry) ?? [];
  return canonicalAddress(address);
}

function remembered(test: (address: string) => boolean): (address: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (address) => {
    const known = verdicts.get(address);
    if (known !== undefined) return known;
    if (verdicts.size >= VERDICTS_MAX) verdicts.clear();
    const verdict = test(address);
    verdicts.set(address, verdict);
    return verdict;
  };
}
