import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askToken, type Credentials, newClient, onboard, tokenOf } from './test-kit/authority.ts';
import { type Bank, openBank, startBankingApi } from './test-kit/bank.ts';

let bank: Bank;
let program: string;
let client: Credentials;
let token: string;

before(async () => {
  bank = await openBank();
  program = await onboard(bank.authority, 'Partner');
  client = await newClient(bank.authority, { programId: program });
  token = await tokenOf(bank.issuer, client);
});

after(() => bank?.stop());

const status = async (withToken: string): Promise<number> =>
  (await bank.api.call('/v1/accounts', { token: withToken })).status;

const isInvalid = async (badToken: string): Promise<void> => {
  const { status, headers, body } = await bank.api.call('/v1/accounts', { token: badToken });
  assert.equal(status, 401);
  assert.equal(body['error'], 'invalid_token');
  const description = String(body['detail']);
  assert.match(description, /expired/);
  assert.ok(description.endsWith(`${bank.issuer}/token`), 'it says where to authenticate again');
  assert.equal(
    headers.get('WWW-Authenticate'),
    `Bearer realm="banking-api", error="invalid_token", error_description="${description}"`,
  );
};

describe('a call', () => {
  it('with a live token is answered, over one connection for many calls', async () => {
    assert.equal(await status(token), 200);
    const head = await bank.api.call('/v1/accounts', { token, method: 'HEAD' });
    assert.equal(head.status, 200);
    for (const path of ['/v1/accounts', '/v1/accounts/unknown', '/nowhere']) {
      const { headers } = await bank.api.call(path, { token });
      assert.equal(headers.get('Connection'), 'keep-alive', path);
      assert.equal(headers.get('Cache-Control'), 'no-store');
    }
  });

  it('without a token gets a bare challenge: nothing was wrong with a token', async () => {
    for (const headers of [
      {},
      { Authorization: 'Basic YTpi' },
      { Cookie: `access_token=${token}` },
    ]) {
      const reply = await bank.api.call('/v1/accounts', {
        headers: headers as Record<string, string>,
      });
      assert.equal(reply.status, 401);
      assert.equal(reply.headers.get('WWW-Authenticate'), 'Bearer realm="banking-api"');
      assert.equal(typeof reply.body['detail'], 'string');
      // RFC 6750 §3.1: no code where nothing was presented.
      assert.ok(!('error' in reply.body));
    }
  });

  it('with an unknown, cut, extended or malformed token is refused with where to get a new one', async () => {
    const bad = [
      'nonsense',
      token.slice(0, -1),
      `${token}A`,
      token.toUpperCase(),
      'a b',
      'a,b',
      ' ',
    ];
    for (const one of bad) await isInvalid(one);
  });

  it('with a token in the URL is refused, even beside a good one in the header', async () => {
    for (const withToken of [undefined, token]) {
      const reply = await bank.api.call(`/v1/accounts?access_token=${token}`, { token: withToken });
      assert.deepEqual([reply.status, reply.body['error']], [400, 'invalid_request']);
      assert.doesNotMatch(JSON.stringify(reply.body), new RegExp(token));
      // Its line in the log is found by the id of the answer, and has no URL in it.
      const [line] = await bank.api.process.says(
        new RegExp(`.*${reply.headers.get('X-Request-Id')}.*`),
      );
      assert.equal(JSON.parse(line).status, 400);
      assert.doesNotMatch(bank.api.process.lines.join('\n'), new RegExp(token));
    }
  });

  it('with two Authorization headers is refused: none is chosen', async () => {
    const url = new URL('/v1/accounts', bank.api.url);
    const lines = ['Host', url.host, 'Authorization', `Bearer ${token}`];
    const call = request(url, { headers: [...lines, 'Authorization', `Bearer ${token}`] });
    call.end();
    const [response] = await once(call, 'response');
    response.resume();
    assert.equal(response.statusCode, 400);
  });

  it('with a token that lacks the scope is told which one', async () => {
    const flags = ['--scope', 'accounts:read'];
    const reader = await newClient(bank.authority, { programId: program, flags });
    const narrow = await tokenOf(bank.issuer, reader);
    assert.equal(await status(narrow), 200);
    const reply = await bank.api.call('/v1/profiles', { token: narrow });
    assert.deepEqual([reply.status, reply.body['error']], [403, 'insufficient_scope']);
    assert.match(
      String(reply.headers.get('WWW-Authenticate')),
      /error="insufficient_scope".*, scope="profiles:read"$/,
    );
    const write = await bank.api.call('/v1/profiles', {
      token: narrow,
      json: { name: 'Mallory', email: 'mallory@example.com' },
    });
    assert.equal(write.status, 403);
    const profiles = await bank.api.call('/v1/profiles', { token });
    assert.doesNotMatch(JSON.stringify(profiles.body), /mallory/);
  });

  it('to another path or with another method needs no token to be told so', async () => {
    assert.equal((await bank.api.call('/v1/account')).status, 404);
    assert.equal((await bank.api.call('/v1/accounts/../accounts/%2e')).status, 404);
    const reply = await bank.api.call('/v1/accounts', { method: 'DELETE' });
    assert.deepEqual([reply.status, reply.headers.get('Allow')], [405, 'GET, HEAD']);
  });
});

describe('a token', () => {
  it('stops to be accepted when its lifetime ends, until the client authenticates again', async () => {
    const flags = ['--scope', 'accounts:read', '--token-lifetime', '2'];
    const brief = await newClient(bank.authority, { programId: program, flags });
    const first = await tokenOf(bank.issuer, brief);
    assert.equal(await status(first), 200);
    const deadline = performance.now() + 5_000;
    while ((await status(first)) === 200 && performance.now() < deadline) await sleep(100);
    await isInvalid(first);
    assert.equal(await status(await tokenOf(bank.issuer, brief)), 200);
  });

  it('dies with its program: refused by the next call after the receipt, and not revived', async () => {
    const leaky = await onboard(bank.authority, 'Leaky');
    const credentials = await newClient(bank.authority, { programId: leaky });
    const old = await tokenOf(bank.issuer, credentials);
    assert.equal(await status(old), 200);

    const { operate } = bank.authority;
    const receipt = await operate('program', 'suspend', leaky, '--reason', 'secret on a forum');
    assert.equal(receipt['complete'], true);
    await isInvalid(old);
    assert.equal((await askToken(bank.issuer, credentials)).status, 401);
    assert.equal(await status(token), 200, 'other programs go on');

    await operate('program', 'reactivate', leaky);
    await isInvalid(old);
    assert.equal(await status(await tokenOf(bank.issuer, credentials)), 200);
  });

  it('of production is none in the sandbox, nor are its credentials', async () => {
    const production = bank.authority.issuer('production');
    const live = await newClient(bank.authority, {
      programId: program,
      environment: 'production',
      flags: [],
    });
    const refused = await askToken(bank.issuer, live);
    assert.equal(refused.status, 401);
    assert.match(await refused.text(), /production credentials.*sandbox/);
    await isInvalid(await tokenOf(production, live));
  });
});

describe('an outage of the authority', () => {
  const outage = async (api: Bank['api'], retryAfter: string): Promise<void> => {
    const { status, headers, body } = await api.call('/v1/accounts', { token });
    assert.deepEqual([status, body['error']], [503, 'temporarily_unavailable']);
    assert.equal(headers.get('Retry-After'), retryAfter);
    assert.equal(headers.get('WWW-Authenticate'), null);
  };

  it('is told as one, never as a bad token', async (t) => {
    type Behaviour = { status: number; body: string; headers?: Record<string, string> } | 'silence';
    let behaviour: Behaviour = 'silence';
    const standIn = createServer((_incoming, response) => {
      if (behaviour === 'silence') return;
      response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body);
    });
    await once(standIn.listen(0, '127.0.0.1'), 'listening');
    const { port } = standIn.address() as { port: number };
    const api = await startBankingApi({
      issuer: `http://127.0.0.1:${port}/sandbox`,
      folder: `${bank.authority.folder}/outage`,
      credentials: client,
    });
    t.after(() => api.process.stop());
    t.after(() => standIn.close());

    const rows: readonly (readonly [retryAfter: string, Behaviour])[] = [
      ['1', 'silence'],
      ['1', { status: 500, body: '{"error":"server_error"}' }],
      ['7', { status: 503, body: '{}', headers: { 'Retry-After': '7' } }],
      ['60', { status: 429, body: '{}', headers: { 'Retry-After': '86400' } }],
      ['1', { status: 429, body: '{}', headers: { 'Retry-After': 'tomorrow' } }],
      ['1', { status: 302, body: '', headers: { Location: '/elsewhere' } }],
      ['1', { status: 200, body: '<html>' }],
      ['1', { status: 200, body: 'null' }],
      ['1', { status: 200, body: '{"active":"true"}' }],
      ['1', { status: 200, body: '{"active":true}' }],
    ];
    for (const [retryAfter, row] of rows) {
      behaviour = row;
      await outage(api, retryAfter);
    }
    standIn.closeAllConnections();
    standIn.close();
    await outage(api, '1');
    assert.doesNotMatch(api.process.lines.join('\n'), new RegExp(token), 'no token in a log');
  });

  it('is what its refusal of our own credentials is to callers, and the log says what to mend', async (t) => {
    const wrong = await startBankingApi({
      issuer: bank.issuer,
      folder: `${bank.authority.folder}/wrong`,
      credentials: { ...client, clientSecret: 'wrong' },
    });
    t.after(() => wrong.process.stop());
    await outage(wrong, '1');
    await wrong.process.says(/refuses this API's own credentials \(401\): check client id/);
  });
});

it('the Banking API stops within seconds when asked to, with connections open, and says nothing more', async () => {
  const credentials = await newClient(bank.authority, {
    programId: program,
    flags: ['--resource-server'],
  });
  const api = await startBankingApi({
    issuer: bank.issuer,
    folder: `${bank.authority.folder}/stopping`,
    credentials,
  });
  await api.call('/v1/accounts', { token });
  assert.equal(await api.process.stop('SIGINT'), 0);
  const [, logged, ...more] = api.process.lines.filter((line) => !/could not be/.test(line));
  assert.equal(JSON.parse(logged!).route, '/v1/accounts');
  assert.deepEqual(more, []);
});
