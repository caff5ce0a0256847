/** A way to a database on which connections are lost in the ways that networks lose them. Of what passes it knows only who listens. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type FaultyProxy = {
  readonly port: number;
  /**
   * From now on nothing arrives, in either direction, and neither end is told: on all connections, new ones too, or only on those
   * that listen for notifications.
   */
  blackhole(of?: 'all' | 'listening'): void;
  /** New connections work again, also those being tried. What was caught stays lost: none of it is ever answered. */
  heal(): void;
  /** Everything arrives later by this much. */
  delay(ms: number): void;
  /** Breaks every connection there is, as by a firewall that restarts (RST). */
  reset(): void;
  /** Connections go to another server from now on; those there are break. */
  moveTo(port: number): void;
  /** How much has vanished so far. */
  swallowedBytes(): number;
  close(): Promise<void>;
};

type Link = { readonly ends: readonly [Socket, Socket]; listens: boolean; isLost: boolean };

export async function startFaultyProxy(targetPort: number): Promise<FaultyProxy> {
  const links = new Set<Link>();
  let target = targetPort;
  let losing: 'none' | 'all' | 'listening' = 'none';
  let delayMs = 0;
  let swallowed = 0;

  const isLost = (link: Link): boolean => {
    link.isLost ||= losing === 'all' || (losing === 'listening' && link.listens);
    return link.isLost;
  };
  const carry = (link: Link, from: Socket, to: Socket): void => {
    let dueMs = 0;
    from.on('error', () => {});
    from.on('close', () => {
      // Of a connection that is lost the other end hears nothing, not even its end.
      if (link.isLost) return;
      links.delete(link);
      to.destroy();
    });
    from.resume().on('data', (bytes) => {
      link.listens ||= bytes.includes('listen countersign');
      const pass = (): void => {
        if (isLost(link)) swallowed += bytes.length;
        else to.write(bytes);
      };
      // Never sooner than what was sent before it.
      dueMs = Math.max(dueMs, delayMs === 0 ? 0 : performance.now() + delayMs);
      const waitMs = dueMs - performance.now();
      if (waitMs <= 0) pass();
      else setTimeout(pass, waitMs);
    });
  };
  const begin = (inbound: Socket): void => {
    const outbound = connect(target, '127.0.0.1');
    const link: Link = { ends: [inbound, outbound], listens: false, isLost: false };
    links.add(link);
    carry(link, inbound, outbound);
    carry(link, outbound, inbound);
  };
  const trying = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (inbound) => {
    inbound.on('error', () => {}).on('close', () => trying.delete(inbound));
    if (losing === 'all') trying.add(inbound);
    else begin(inbound);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const reset = (): void => {
    for (const link of links) {
      if (link.isLost) continue;
      for (const end of link.ends) end.resetAndDestroy();
    }
  };
  return {
    port: (server.address() as { port: number }).port,
    blackhole: (of = 'all') => {
      losing = of;
      for (const link of links) isLost(link);
    },
    heal: () => {
      losing = 'none';
      for (const inbound of trying) begin(inbound);
      trying.clear();
    },
    delay: (ms) => {
      delayMs = ms;
    },
    reset,
    moveTo: (port) => {
      target = port;
      reset();
    },
    swallowedBytes: () => swallowed,
    close: async () => {
      for (const inbound of trying) inbound.destroy();
      for (const { ends } of links) for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
