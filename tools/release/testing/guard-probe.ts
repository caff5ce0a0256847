/** What a service of the bank relies on, tried in whatever runtime imports this file, which is handed the verifier's package. */

import type * as Guard from '../../../resource-server/src/index.ts';

export type GuardSettings = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** A token that is good. */
  readonly token: string;
  /** An origin that redirects each question. */
  readonly redirecting: string;
};

/** What was found wrong; empty: all is well. */
export async function probeGuard(
  { createVerifier }: typeof Guard,
  settings: GuardSettings,
): Promise<readonly string[]> {
  const { issuer, clientId, clientSecret, token, redirecting } = settings;
  const wrong: string[] = [];
  const ask = async (authorization: string | undefined, from = issuer): Promise<string> => {
    const options = { issuer: from, clientId, clientSecret: () => clientSecret };
    const verifier = createVerifier({ ...options, onOutage: ({ code }) => console.log(code) });
    const headers = authorization === undefined ? {} : { authorization };
    const request = new Request('http://127.0.0.1/accounts', { headers });
    const verdict = await verifier.verify(request, { scope: 'accounts:read' });
    if (verdict.ok) return `lets in ${typeof verdict.identity.programId}`;
    const challenge = verdict.response.headers.get('WWW-Authenticate') ?? '';
    return `${verdict.response.status} ${/error="[a-z_]+"/.exec(challenge)?.[0] ?? ''}`;
  };
  const expect = (what: string, is: string, wanted: string): void => {
    if (is !== wanted) wrong.push(`${what}: ${is} and not ${wanted}`);
  };
  expect('a good token', await ask(`Bearer ${token}`), 'lets in string');
  expect('none', await ask(undefined), '401 ');
  expect('a wrong one', await ask('Bearer wrong'), '401 error="invalid_token"');
  expect('a redirect', await ask(`Bearer ${token}`, redirecting), '503 ');
  return wrong;
}
