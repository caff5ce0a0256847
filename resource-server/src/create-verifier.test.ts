import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createVerifier, type VerifierOptions } from './create-verifier.ts';
import type { Outage } from './outage.ts';

const TOKEN = 'token_test_presented';
const SECRET = 'secret_test_own';
const ACTIVE = {
  active: true,
  client_id: 'client_test_1',
  program_id: 'program_1',
  scope: 'accounts:read accounts:write',
  aud: 'https://api.bank.example',
  exp: 4_000_000_000,
  jti: 'jti_1',
};

type Handle = (request: IncomingMessage, response: ServerResponse, form: URLSearchParams) => void;
type Authority = {
  readonly issuer: string;
  readonly outages: readonly Outage[];
  readonly sockets: readonly Socket[];
  readonly check: (
    token?: string,
    needs?: { scope?: string },
  ) => ReturnType<ReturnType<typeof createVerifier>['verify']>;
};

const json =
  (body: unknown, status = 200, headers = {}): Handle =>
  (_request, response) =>
    void response.writeHead(status, headers).end(JSON.stringify(body));

/** Over a server that answers as told, for what no healthy authority answers. */
async function withAuthority(
  handle: Handle,
  use: (authority: Authority) => Promise<void>,
  options: Partial<VerifierOptions> = {},
): Promise<void> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    handle(request, response, new URLSearchParams(body));
  });
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sandbox`;
  const outages: Outage[] = [];
  const { verify } = createVerifier({
    issuer,
    clientId: 'client_test_api',
    clientSecret: SECRET,
    onOutage: (outage) => outages.push(outage),
    ...options,
  });
  const check: Authority['check'] = (token = TOKEN, needs = {}) => {
    const headers = { Authorization: `Bearer ${token}` };
    return verify(new Request('https://api.bank.example/v1/accounts', { headers }), needs);
  };
  try {
    await use({ issuer, outages, sockets, check });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** 503 for the caller, a word for the log, and neither a challenge nor a token in either. */
async function assertOutage({ check, outages }: Authority, retryAfter = '1'): Promise<Outage> {
  const verdict = await check();
  assert.ok(!verdict.ok);
  const { status, headers } = verdict.response;
  assert.equal(status, 503);
  assert.equal(headers.get('Retry-After'), retryAfter);
  assert.equal(headers.get('WWW-Authenticate'), null);
  assert.match(await verdict.response.text(), /temporarily_unavailable/);
  const outage = outages.at(-1);
  assert.ok(outage !== undefined);
  assert.doesNotMatch(inspect([verdict, outage], { depth: 9 }), new RegExp(`${TOKEN}|${SECRET}`));
  return outage;
}

test('an active token is an identity, asked for over connections that are kept', async () => {
  await withAuthority(json(ACTIVE), async ({ check, sockets, outages }) => {
    for (let n = 0; n < 20; n++) {
      const verdict = await check(TOKEN, { scope: 'accounts:read accounts:write' });
      assert.ok(verdict.ok);
      const { identity } = verdict;
      assert.deepEqual(
        [identity.programId, identity.clientId, identity.tokenId],
        ['program_1', 'client_test_1', 'jti_1'],
      );
    }
    assert.ok(sockets.length <= 2, `${sockets.length} connections for twenty calls`);
    assert.deepEqual(outages, []);
  });
});

test('no answer is remembered: a token that dies is refused by the next call', async () => {
  let answer: object = ACTIVE;
  const handle: Handle = (...parts) => json(answer)(...parts);
  await withAuthority(handle, async ({ check }) => {
    assert.ok((await check()).ok);
    answer = { active: false };
    assert.equal((await check()).ok, false);
  });
});

test('whatever is no answer about the token is an outage, and says nothing about the token', async () => {
  const answers: readonly (readonly [code: string, retryAfter: string, Handle])[] = [
    ['unavailable', '1', json({}, 500)],
    ['unavailable', '7', json({}, 503, { 'Retry-After': '7' })],
    ['unavailable', '60', json({}, 429, { 'Retry-After': '86400' })],
    ['unavailable', '1', json({}, 503, { 'Retry-After': 'tomorrow' })],
    ['unreadable', '1', json({}, 302, { Location: '/elsewhere' })],
    ['unreadable', '1', json({ error: 'invalid_request' }, 400)],
    ['unreadable', '1', json({}, 403)],
    ['unreadable', '1', json('active')],
    ['unreadable', '1', json({ active: 'true' })],
    ['unreadable', '1', json({ ...ACTIVE, active: 1 })],
    ['unreadable', '1', json({ ...ACTIVE, program_id: '' })],
    ['unreadable', '1', json({ ...ACTIVE, exp: undefined })],
    ['unreadable', '1', json({ ...ACTIVE, scope: ['accounts:read'] })],
    ['unreachable', '1', (_request, response) => void response.end('x'.repeat(70_000))],
    ['unreachable', '1', (request) => void request.socket.destroy()],
    ['unreachable', '1', () => {}],
  ];
  for (const [code, retryAfter, handle] of answers) {
    await withAuthority(
      handle,
      async (authority) =>
        assert.equal((await assertOutage(authority, retryAfter)).code, code, String(handle)),
      { timeoutMs: 300 },
    );
  }
});

test('an authority that is not there is an outage', async () => {
  let gone: Authority | undefined;
  await withAuthority(json(ACTIVE), (authority) => {
    gone = authority;
    return Promise.resolve();
  });
  const { code, message } = await assertOutage(gone as Authority);
  assert.equal(code, 'unreachable');
  assert.match(message, /ECONNREFUSED/);
});

test('a kept connection that the authority closes costs no call', async () => {
  const answered = new WeakSet<Socket>();
  // Closed without a word when the second question arrives, as by a server whose patience ended at that moment.
  const handle: Handle = (request, response, form) => {
    if (answered.has(request.socket)) return void request.socket.destroy();
    answered.add(request.socket);
    json(ACTIVE)(request, response, form);
  };
  await withAuthority(handle, async ({ check, sockets }) => {
    for (let n = 0; n < 4; n++) assert.ok((await check()).ok);
    assert.ok(sockets.length >= 3);
  });
});

test('the own secret is rotated under a running service, and a refused one is no flood of tries', async () => {
  let [good, secrets, asked]: [string, readonly string[], number] = ['old', ['new', 'old'], 0];
  const handle: Handle = (request, response, form) => {
    asked += 1;
    const isGood = form.get('client_secret') === good;
    json(isGood ? ACTIVE : { error: 'invalid_client' }, isGood ? 200 : 401)(
      request,
      response,
      form,
    );
  };
  const use = async (authority: Authority): Promise<void> => {
    for (let n = 0; n < 5; n++) assert.ok((await authority.check()).ok);
    assert.equal(asked, 6, 'the one that works is found once');
    good = 'new';
    assert.ok((await authority.check()).ok);

    [good, secrets, asked] = ['another', ['new'], 0];
    for (let n = 0; n < 5; n++) {
      assert.equal((await assertOutage(authority)).code, 'credentials-refused');
    }
    assert.equal(asked, 1);
  };
  await withAuthority(handle, use, { clientSecret: () => secrets });
});

test('a secret that cannot be read is an outage', async () => {
  const clientSecret = (): string => {
    throw new Error(SECRET);
  };
  const use = async (authority: Authority): Promise<void> => {
    assert.equal((await assertOutage(authority)).code, 'credentials-refused');
  };
  await withAuthority(json(ACTIVE), use, { clientSecret });
});

test('beyond a thousand checks under way the next is refused at once, and room comes back', async () => {
  let waiting: (() => void)[] = [];
  const handle: Handle = (...parts) => void waiting.push(() => json(ACTIVE)(...parts));
  await withAuthority(
    handle,
    async (authority) => {
      const { check } = authority;
      const all = Array.from({ length: 1_000 }, () => check());
      assert.equal((await assertOutage(authority)).code, 'overloaded');
      const answering = setInterval(() => {
        for (const answer of waiting.splice(0)) answer();
      }, 5);
      for (const verdict of await Promise.all(all)) assert.ok(verdict.ok);
      assert.ok((await check()).ok);
      clearInterval(answering);
      waiting = [];
    },
    { timeoutMs: 20_000 },
  );
});

test('credentials go over HTTPS or stay on this machine', () => {
  const verifier = (issuer: string) => () =>
    createVerifier({ issuer, clientId: 'c', clientSecret: 's', onOutage: () => {} });
  for (const issuer of [
    'http://auth.bank.example/sandbox',
    'ftp://127.0.0.1/sandbox',
    'https://user:word@auth.bank.example/sandbox',
    'https://auth.bank.example/sandbox?x=1',
    '/sandbox',
  ]) {
    assert.throws(verifier(issuer), TypeError, issuer);
  }
  for (const issuer of ['https://auth.bank.example/x/', 'http://[::1]:8080/x']) verifier(issuer)();
});
