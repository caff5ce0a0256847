/** Whether a client may be used from an address: its allow-list, compiled once for as long as its credentials are cached. */

import { BlockList, isIP } from 'node:net';
import type { ClientCredentials } from '../ports/model.ts';

const allowLists = new WeakMap<ClientCredentials, BlockList>();

export function isAllowedFrom(client: ClientCredentials, address: string): boolean {
  if (client.allowIp.length === 0) return true;
  let list = allowLists.get(client);
  if (list === undefined) {
    list = new BlockList();
    for (const cidr of client.allowIp) {
      const [net = '', bits = ''] = cidr.split('/');
      list.addSubnet(net, Number(bits), isIP(net) === 6 ? 'ipv6' : 'ipv4');
    }
    allowLists.set(client, list);
  }
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
