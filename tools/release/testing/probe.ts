/** What a partner's program relies on, tried in whatever runtime imports this file; it knows no runtime, and is handed the client. */

import type * as Sdk from '../../../client/src/index.ts';
import type { GuardSettings } from './guard-probe.ts';

export type ProbeSettings = {
  /** For the probe of the guard. */
  readonly guard?: GuardSettings;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly api: string;
  /** Where the runtime can have the secret from besides a function. */
  readonly sources: readonly Sdk.SecretSource[];
  /** What it cannot: the client must say so. */
  readonly missing: readonly Sdk.SecretSource[];
};

const CALLERS = 50;

/** What was found wrong; empty: all is well. */
export async function probe(sdk: typeof Sdk, settings: ProbeSettings): Promise<readonly string[]> {
  const { issuer, clientId, clientSecret, api } = settings;
  const wrong: string[] = [];
  const options = { issuer, clientId, api, tokenEndpoint: `${issuer}/token` };
  const kit: Kit = {
    settings,
    clientWith: (more = {}) =>
      sdk.createClient({
        ...options,
        clientSecret: () => Promise.resolve(clientSecret),
        ...more,
      }),
    expect: (what, is, wanted) => {
      if (is !== wanted) wrong.push(`${what}: ${String(is)} and not ${String(wanted)}`);
    },
    codeOf: (promise) =>
      promise.then(
        () => 'no error',
        (error) => (error instanceof sdk.TokenError ? error.code : String(error)),
      ),
  };
  const client = kit.clientWith();
  await callTogether(kit, client);
  await outliveTokens(kit, client);
  await staysHome(kit, client);
  await readSecrets(kit);
  await print(kit, client);
  return wrong;
}

type Kit = {
  readonly settings: ProbeSettings;
  readonly clientWith: (more?: Partial<Sdk.ClientOptions>) => Sdk.Client;
  readonly expect: (what: string, is: unknown, wanted: unknown) => void;
  readonly codeOf: (promise: Promise<unknown>) => Promise<unknown>;
};

async function callTogether({ expect, settings: { api } }: Kit, client: Sdk.Client): Promise<void> {
  const together = Array.from({ length: CALLERS }, () => client.fetch(`${api}/accounts`));
  const answers = await Promise.all(together);
  expect('callers answered', answers.filter(({ status }) => status === 200).length, CALLERS);
  await Promise.all(answers.map((answer) => answer.text()));
  const leaving = new AbortController();
  leaving.abort();
  const left = client.fetch(`${api}/accounts`, { signal: leaving.signal }).catch((error) => error);
  expect('a caller that has left', ((await left) as Error).name, 'AbortError');
}

async function outliveTokens({ expect, settings }: Kit, client: Sdk.Client): Promise<void> {
  const { issuer, clientId, clientSecret, api } = settings;
  const first = await client.accessToken();
  // The authority kills the token; the API then answers 401, and the client tries once more.
  const body = new URLSearchParams({
    client_id: clientId,
    client_secret: clientSecret,
    token: first.reveal(),
  });
  const killed = await fetch(`${issuer}/revoke`, { method: 'POST', body });
  expect('revocation', killed.status, 200);
  expect('call with a dead token', (await client.fetch(`${api}/killed`)).status, 200);
  const second = await client.accessToken();
  expect('token is another', second.reveal() !== first.reveal(), true);
  expect('call refused for good', (await client.fetch(`${api}/refused`)).status, 401);
  const posted = await client.fetch(`${api}/echo`, { method: 'POST', body: 'hello' });
  expect('body', await posted.text(), 'hello');
}

async function staysHome({ expect, codeOf, clientWith, settings }: Kit, client: Sdk.Client) {
  const { api } = settings;
  expect('redirect', (await client.fetch(`${api}/moved`)).status, 302);
  const misled = clientWith({ tokenEndpoint: `${api}/moved-token` });
  expect('redirect of the secret', await codeOf(misled.accessToken()), 'misconfigured');
  const elsewhere = await client.fetch(`${api}/elsewhere`.replace('127.0.0.1', 'localhost')).then(
    () => 'sent',
    (error) => error instanceof TypeError && 'refused',
  );
  expect('another origin', elsewhere, 'refused');
  for (const unsafe of [{ api: 'http://api.bank.example' }, { issuer: 'http://auth.example' }]) {
    let thrown: unknown;
    try {
      clientWith(unsafe);
    } catch (error) {
      thrown = error;
    }
    expect(JSON.stringify(unsafe), thrown instanceof TypeError, true);
  }
}

async function readSecrets({ expect, codeOf, clientWith, settings }: Kit): Promise<void> {
  const { api, sources, missing } = settings;
  for (const source of sources) {
    const answer = await clientWith({ clientSecret: source }).fetch(`${api}/sources`);
    expect(`secret from ${JSON.stringify(source)}`, answer.status, 200);
  }
  for (const source of missing) {
    const code = await codeOf(clientWith({ clientSecret: source }).accessToken());
    expect(`secret from ${JSON.stringify(source)}`, code, 'misconfigured');
  }
}

async function print({ expect, clientWith }: Kit, client: Sdk.Client): Promise<void> {
  const token = await client.accessToken();
  const misfit = clientWith({ clientSecret: 'wrong' });
  const refusal = await misfit.accessToken().catch((error: unknown) => error);
  expect('wrong secret', (refusal as Sdk.TokenError).code, 'credentials-refused');
  expect('request id', typeof (refusal as Sdk.TokenError).requestId, 'string');
  for (const seen of [token, { token }, [token], client, refusal, `${token}`]) console.log(seen);
  console.log('printed', JSON.stringify({ token }));
}
