import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDataDirectory } from './testing/data.ts';
import { asOperator, onboard, post } from './testing/onboarding.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';

const CALLERS = 4;
/** Between two restarts, so that a caller that just met the stopped server meets the new one, not the next stop. */
const SETTLING_MS = 200;
/** Tokens that are asked about at once at the end. */
const TOGETHER = 200;
const ONE_ADDRESS = ['--public-url', 'http://127.0.0.1:8080'];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks one server, and the other one when the first gives no answer at all: what any load balancer does. */
async function askEither(
  { servers, first }: { servers: readonly RunningServer[]; first: number },
  path: string,
  form: Record<string, string>,
): Promise<Response | undefined> {
  for (const index of [first, 1 - first]) {
    const url = `${servers[index]?.url}${path}`;
    const answer = await post(url, form).catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

test('servers that are restarted one after the other under load fail no request and lose no token', async () => {
  const data = newDataDirectory();
  const client = await asOperator(data, (context) => onboard(context, { resourceServer: true }));
  const credentials = { client_id: client.clientId, client_secret: client.clientSecret };
  const servers = [
    await startServer(data, { args: ONE_ADDRESS }),
    await startServer(data, { args: ONE_ADDRESS }),
  ];
  const statuses: (number | undefined)[] = [];
  const tokens: string[] = [];
  let isOver = false;
  let turn = 0;

  /** A token from one server, judged by the other as long as both are there. */
  const call = async (): Promise<void> => {
    while (!isOver) {
      turn += 1;
      const first = turn % 2;
      const form = { ...credentials, grant_type: 'client_credentials' };
      const granted = await askEither({ servers, first }, '/sandbox/token', form);
      statuses.push(granted?.status);
      if (granted?.status !== 200) continue;
      const { access_token: token } = (await granted.json()) as { access_token: string };
      tokens.push(token);
      const judged = await askEither({ servers, first: 1 - first }, '/sandbox/introspect', {
        ...credentials,
        token,
      });
      const { active } = ((await judged?.json()) ?? {}) as { active?: boolean };
      statuses.push(active === true ? judged?.status : 0);
    }
  };
  const callers = Array.from({ length: CALLERS }, call);
  for (const index of [0, 1]) {
    assert.equal(await servers[index]?.stop(), 0);
    servers[index] = await startServer(data, { args: ONE_ADDRESS });
    await pause(SETTLING_MS);
  }
  isOver = true;
  await Promise.all(callers);
  const [one] = servers;
  const last: unknown[] = [];
  for (let from = 0; from < tokens.length; from += TOGETHER) {
    const some = tokens.slice(from, from + TOGETHER).map(async (token) => {
      const answer = await post(`${one?.url}/sandbox/introspect`, { ...credentials, token });
      return ((await answer.json()) as { active?: boolean }).active;
    });
    last.push(...(await Promise.all(some)));
  }
  for (const server of servers) await server.stop();
  assert.ok(tokens.length > 50, `${tokens.length} tokens`);
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.deepEqual(new Set(last), new Set([true]));
});
