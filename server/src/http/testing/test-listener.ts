/** A listener for tests, on a free port of this machine, with endpoints that show what they were handed. */

import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Incoming } from '../../endpoints/exchange.ts';
import { buildListener, type Listener, type ListenerSettings } from '../listener.ts';
import type { Route } from '../router.ts';

export type LogLine = {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
};

type Settings = Partial<ListenerSettings> & {
  /** Routes beside those that echo. */
  readonly more?: readonly Route[];
};

export type Built = {
  readonly listener: Listener;
  /** What the endpoints were handed, in order. */
  readonly seen: Incoming[];
  readonly logged: LogLine[];
};

/** Builds a listener that does not listen yet. */
export async function builtListener(settings: Settings = {}): Promise<Built> {
  const seen: Incoming[] = [];
  const logged: LogLine[] = [];
  const { more = [], ...given } = settings;
  const line =
    (level: string) =>
    (fields: LogLine['fields'], message: string): void =>
      void logged.push({ level, fields, message });
  const listener = await buildListener({
    routes: [...echoRoutes(seen), ...more],
    log: { info: line('info'), warn: line('warn'), error: line('error') },
    clock: { wallMs: Date.now, monotonicMs: () => performance.now(), sleep: (ms) => sleep(ms) },
    randomness: { bytes: randomBytes },
    ...given,
    limits: { lingerMsMax: 200, drainMsMax: 1_000, ...given.limits },
  });
  return { listener, seen, logged };
}

/** Builds one, listens, and closes it when the test ends. */
export async function testListener(
  t: TestContext,
  settings: Settings = {},
): Promise<Built & { readonly port: number }> {
  const built = await builtListener(settings);
  const { port } = await built.listener.listen({ host: '127.0.0.1', port: 0, option: '--listen' });
  t.after(() => built.listener.close());
  return { ...built, port };
}

function echoRoutes(seen: Incoming[]): readonly Route[] {
  const echo = (incoming: Incoming) => {
    seen.push(incoming);
    return { status: 200, body: `{"bytes":${incoming.body.length}}` };
  };
  return [
    { path: '/sandbox/token', methods: { POST: echo } },
    { path: '/metadata', methods: { GET: echo } },
    { path: '/both', methods: { GET: echo, POST: echo } },
    { path: '/health/live', isProbe: true, methods: { GET: echo } },
  ];
}
