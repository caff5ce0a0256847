/** What clients and resource servers do: ask for tokens, present tokens. Every answer goes to the checker. */

import type { Answer } from '../server/src/endpoints/exchange.ts';
import { whenKnown } from '../server/src/endpoints/when-known.ts';
import type { Credentials } from './checker.ts';
import type { Running } from './cluster.ts';
import type { Decision } from './node.ts';
import type { Token } from './truth.ts';
import type { Part } from './world.ts';

export type Traffic = {
  /** Every secret that was ever handed out. */
  readonly credentials: Credentials[];
  /** One request of anybody to any node. */
  request(): void;
  verify(at: Running, token: Token): void;
  issue(at: Running, to: Credentials): void;
  /** Presents a token to every node, now and some time later. */
  probe(token: Token): void;
  tokens(): readonly Token[];
};

/** Those that were issued last are presented most. */
const RECENT_TOKENS = 12;
const LATER_MS_MAX = 2_000;

export function newTraffic({ world, random }: Part): Traffic {
  const { checker, cluster, timeline } = world;
  const credentials: Credentials[] = [];
  const tokens = (): readonly Token[] => [...checker.truth.tokens.values()];

  const verify: Traffic['verify'] = ({ node, machine }, token) => {
    const begunMs = timeline.nowMs;
    const see = (decision: Decision): void => checker.decided(node, token, { decision, begunMs });
    machine.deliver('outside', () => {
      const decision = whenKnown(node.verify(token.text), see);
      if (decision instanceof Promise) decision.catch(() => see({ reason: 'store-unavailable' }));
    });
  };

  const issue: Traffic['issue'] = ({ node, machine }, to) => {
    const begunMs = timeline.nowMs;
    const see = (text: string | undefined): void => checker.issued(node, to, { text, begunMs });
    machine.deliver('outside', () => {
      const answer = whenKnown(node.issue(to), (known) => see(tokenIn(known)));
      if (answer instanceof Promise) answer.catch(() => see(undefined));
    });
  };

  return {
    credentials,
    tokens,
    verify,
    issue,
    request: () => {
      const serving = cluster.serving();
      if (serving.length === 0) return;
      const known = tokens();
      if (known.length === 0 || random.chance(0.35)) {
        return issue(random.pick(serving), random.pick(credentials));
      }
      const among = random.chance(0.6) ? known.slice(-RECENT_TOKENS) : known;
      verify(random.pick(serving), random.pick(among));
    },
    probe: (token) => {
      for (const at of cluster.serving()) {
        verify(at, token);
        timeline.after(random.next() ** 2 * LATER_MS_MAX, () => verify(at, token));
      }
    },
  };
}

function tokenIn({ status, body }: Answer): string | undefined {
  if (status !== 200) return undefined;
  return (JSON.parse(body) as { access_token: string }).access_token;
}
