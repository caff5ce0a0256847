/** Continuous load on several nodes: tokens got at one are checked at the next, at once and over and over. */

import { introspect, type Onboarded, post } from './onboarding.ts';

/** Each with one request at a time. */
const LOOPS = 6;

/** What a client and a resource server saw; every line of it is a failure. */
export type Load = { stop(): Promise<readonly string[]>; readonly requests: () => number };

export function startLoad(on: {
  readonly urls: readonly string[];
  readonly client: Onboarded;
  readonly asker: Onboarded;
}): Load {
  const { urls, client, asker } = on;
  const failures: string[] = [];
  let requests = 0;
  let stopped = false;
  const loop = async (issuer: string, verifier: string): Promise<void> => {
    while (!stopped) {
      const answer = await post(`${issuer}/sandbox/token`, {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        grant_type: 'client_credentials',
      });
      const { access_token } = (await answer.json()) as { access_token?: string };
      requests += 2;
      if (answer.status !== 200) failures.push(`/token ${answer.status}`);
      const said = await introspect(verifier, asker, access_token ?? '');
      if (said !== 'active') failures.push(`/introspect: ${said}`);
    }
  };
  const loops = Array.from({ length: LOOPS }, (_, index) => {
    const [issuer = '', verifier = ''] = [0, 1].map((next) => urls[(index + next) % urls.length]);
    return loop(issuer, verifier);
  });
  return {
    requests: () => requests,
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
      return failures;
    },
  };
}
