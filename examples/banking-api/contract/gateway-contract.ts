/** What every gateway with a shipped configuration must do, told by an API behind it that says what reached it. */

import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { after, before, describe, test } from 'node:test';
import {
  type Authority,
  type Credentials,
  newClient,
  onboard,
  startAuthority,
  tokenOf,
} from '../test-kit/authority.ts';
import { type Arrived, type Echo, startEcho, valuesOf } from '../test-kit/echo.ts';
import {
  freePort,
  type Gateway,
  type GatewayProgram,
  missing,
  startGateway,
} from '../test-kit/gateway.ts';
import { type Answer, rawCall } from '../test-kit/raw-call.ts';

const IDENTITY = ['x-client-id', 'x-program-id', 'x-token-scope', 'x-token-id', 'x-token-expires'];

/** Calls of the test that interleaves them. */
const CALLS = 2_000;

export function gatewayContract(program: GatewayProgram): void {
  const skip = missing(program);
  describe(`${program.name} before an API`, { skip: skip ?? false }, () => {
    let authority: Authority;
    let echo: Echo;
    let gateway: Gateway;
    let programId: string;
    let client: Credentials;
    let token: string;
    let narrow: Credentials;
    let settings: Record<string, string>;

    before(async () => {
      authority = await startAuthority();
      echo = await startEcho();
      programId = await onboard(authority, 'Partner');
      client = await newClient(authority, {
        programId,
        flags: ['--scope', 'accounts:read profiles:read'],
      });
      narrow = await newClient(authority, { programId, flags: ['--scope', 'profiles:read'] });
      const bank = await newClient(authority, {
        programId: await onboard(authority, 'Bank'),
        flags: ['--resource-server'],
      });
      const issuer = new URL(authority.issuer('sandbox'));
      const credentials = Buffer.from(`${bank.clientId}:${bank.clientSecret}`).toString('base64');
      settings = {
        AUTHORITY: issuer.host,
        ISSUER_PATH: issuer.pathname,
        API: echo.address,
        GATEWAY_AUTHORIZATION: `Basic ${credentials}`,
        RESOURCE: '',
      };
      gateway = await startGateway(program, settings);
      token = await tokenOf(issuer.href, client);
    });
    after(async () => {
      await gateway?.stop();
      await echo?.stop();
      await authority?.stop();
    });

    const call = (request: string, ...headers: readonly string[]): Promise<Answer> =>
      rawCall(gateway.port, [`${request} HTTP/1.1`, ...headers]);
    const bearer = () => `Authorization: Bearer ${token}`;
    /** What the API saw of calls made by `make`. */
    const seen = async (make: () => Promise<unknown>) => {
      const count = echo.arrived.length;
      await make();
      return echo.arrived.slice(count);
    };
    const refused = async (status: number, make: () => Promise<Answer>): Promise<Answer> => {
      let answer: Answer | undefined;
      const arrived = await seen(async () => {
        answer = await make();
      });
      assert.deepEqual(arrived, [], 'the API saw nothing of it');
      assert.equal(answer?.status, status, JSON.stringify(answer));
      return answer as Answer;
    };

    test('B-01: a good token passes, and the API learns who calls and nothing of the token', async () => {
      const [arrived] = await seen(() => call('GET /v1/accounts?x=1', bearer()));
      assert.equal(arrived?.url, '/v1/accounts?x=1');
      assert.deepEqual(valuesOf(arrived, 'x-client-id'), [client.clientId]);
      assert.deepEqual(valuesOf(arrived, 'x-program-id'), [programId]);
      assert.deepEqual(valuesOf(arrived, 'x-token-scope'), ['accounts:read profiles:read']);
      assert.match(valuesOf(arrived, 'x-token-id')[0] ?? '', /^[\w-]{16}$/);
      assert.ok(!JSON.stringify(arrived).includes(token));
      assert.deepEqual(valuesOf(arrived, 'x-gateway-authorization'), []);
    });

    test('B-03, B-05, B-09, B-12: no token, a bad one, two of them and one in the URL are refused as RFC 6750 says', async () => {
      const none = await refused(401, () => call('GET /v1/accounts'));
      assert.match(none.headers['www-authenticate'] ?? '', /^Bearer realm="[^"]+"$/);
      const bad = await refused(401, () => call('GET /v1/accounts', `${bearer()}x`));
      assert.match(bad.headers['www-authenticate'] ?? '', /error="invalid_token"/);
      assert.notEqual(bad.headers['x-request-id'], undefined, 'what to tell support');
      // nginx refuses the second header itself, or the authority does.
      const two = await call('GET /v1/accounts', bearer(), bearer());
      assert.ok(two.status === 400 || two.status === 401, JSON.stringify(two));
      const query = await newClient(authority, { programId });
      const exposed = await tokenOf(authority.issuer('sandbox'), query);
      const inUrl = await call(`GET /v1/accounts?access_token=${exposed}`, bearer());
      assert.ok(inUrl.status === 400 || inUrl.status === 401, JSON.stringify(inUrl));
      assert.match(inUrl.headers['www-authenticate'] ?? '', /error="invalid_request"/);
      for (;;) {
        const standing = (await authority.operate('token', 'inspect', exposed))['standing'];
        if (standing === 'revoked') break;
        assert.equal(standing, 'live');
      }
    });

    test('B-07: a token without the scope of the path is refused with the scope that it lacks', async () => {
      const held = await tokenOf(authority.issuer('sandbox'), narrow);
      const bearerOfOther = `Authorization: Bearer ${held}`;
      const [passed] = await seen(() => call('GET /v1/profiles', bearerOfOther));
      assert.equal(passed?.url, '/v1/profiles');
      const answer = await refused(403, () => call('GET /v1/accounts', bearerOfOther));
      const challenge = answer.headers['www-authenticate'] ?? '';
      assert.match(challenge, /error="insufficient_scope".*scope="accounts:read"/);
    });

    test('B-21, B-22: who calls is never what the caller says, in any spelling or by any trick of hops', async () => {
      const forged = [
        'X-Client-Id',
        'x-client-id',
        'X-CLIENT-ID',
        'X_Client_Id',
        'X-Client_Id',
        'X.Client.Id',
      ].map((name) => `${name}: client_test_forged`);
      const [arrived] = await seen(() =>
        call(
          'GET /v1/accounts',
          bearer(),
          ...forged,
          'X-Token-Scope: admin',
          'X_Token_Scope: admin',
        ),
      );
      assert.ok(arrived !== undefined);
      assert.ok(!JSON.stringify(arrived.headers).includes('forged'));
      assert.ok(!arrived.headers.includes('admin'));
      assert.deepEqual(valuesOf(arrived, 'x-client-id'), [client.clientId]);
      const hop = `Connection: close, ${IDENTITY.join(', ')}`;
      const [hopped] = await seen(() => call('GET /v1/accounts', bearer(), hop));
      for (const name of IDENTITY) assert.equal(valuesOf(hopped ?? arrived, name).length, 1, name);
      await refused(401, () => call('GET /v1/accounts', ...forged));
      const gatewayHeader = `X-Gateway-Authorization: ${settings['GATEWAY_AUTHORIZATION']}`;
      await refused(401, () => call('GET /v1/accounts', gatewayHeader));
    });

    test('B-24: every method is guarded and handed on, with its body; so is a websocket', async () => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const body = ['POST', 'PUT', 'PATCH'].includes(method) ? '{"a":1}' : '';
        const headers = body === '' ? [] : ['Content-Type: application/json', 'Content-Length: 7'];
        const send = (...more: readonly string[]) =>
          rawCall(gateway.port, [`${method} /v1/accounts HTTP/1.1`, ...headers, ...more], body);
        const [arrived] = await seen(() => send(bearer()));
        assert.deepEqual([arrived?.method, arrived?.body], [method, body], method);
        await refused(401, () => send());
      }
      const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
      const [socket] = await seen(async () => {
        const answer = await call('GET /v1/accounts', bearer(), ...upgrade);
        assert.equal(answer.status, 101, JSON.stringify(answer));
      });
      assert.deepEqual(valuesOf(socket ?? fail(), 'x-client-id'), [client.clientId]);
      await refused(401, () => call('GET /v1/accounts', ...upgrade));
    });

    test('B-28: from the receipt of a suspension on nothing passes', async () => {
      const stopped = await onboard(authority, 'Stopped');
      const theirs = await newClient(authority, { programId: stopped });
      const held = `Authorization: Bearer ${await tokenOf(authority.issuer('sandbox'), theirs)}`;
      assert.equal((await seen(() => call('GET /v1/accounts', held))).length, 1);
      await authority.operate('program', 'suspend', stopped, '--reason', 'leaked');
      await refused(401, () => call('GET /v1/accounts', held));
    });

    test('B-26: an authority that is away is an outage: 503 and when to come again, never open and never 401', async () => {
      const lost = await startGateway(program, {
        ...settings,
        AUTHORITY: `127.0.0.1:${await freePort()}`,
      });
      const answer = await refused(503, () =>
        rawCall(lost.port, ['GET /v1/accounts HTTP/1.1', bearer()]),
      );
      assert.equal(answer.headers['retry-after'], '1');
      assert.equal(answer.headers['www-authenticate'], undefined);
      await lost.stop();
    });

    test('B-08: a token for another resource than the one of the configuration does not pass', async () => {
      // A token that names no resource is for the issuer.
      const resources = ['http://localhost/sandbox', 'https://other.bank.example'];
      const statuses: unknown[] = [];
      for (const RESOURCE of resources) {
        const one = await startGateway(program, { ...settings, RESOURCE });
        const arrived = await seen(async () => {
          const answer = await rawCall(one.port, ['GET /v1/accounts HTTP/1.1', bearer()]);
          statuses.push([
            answer.status,
            /error="(\w+)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1],
          ]);
        });
        statuses.push(arrived.length);
        await one.stop();
      }
      assert.deepEqual(statuses, [[200, undefined], 1, [401, 'invalid_token'], 0]);
    });

    test('B-28: of many calls at once each is the call of the client whose token it carries', async () => {
      const callers = [
        { id: client.clientId, held: token },
        { id: narrow.clientId, held: await tokenOf(authority.issuer('sandbox'), narrow) },
        { id: undefined, held: 'token_test_nobody' },
      ];
      const agent = new Agent({ keepAlive: true, maxSockets: 24 });
      const next = Array.from({ length: CALLS }, (_, n) => n).values();
      const caller = async (): Promise<void> => {
        for (const n of next) {
          const { id, held } = callers[(n * 7 + (n >> 3)) % callers.length] ?? fail();
          const { status, body } = await keptCall(agent, {
            port: gateway.port,
            path: `/v1/profiles?n=${n}`,
            token: held,
          });
          if (id === undefined) assert.equal(status, 401, body);
          else {
            const arrived = JSON.parse(body) as Arrived;
            assert.equal(arrived.url, `/v1/profiles?n=${n}`);
            assert.deepEqual(valuesOf(arrived, 'x-client-id'), [id]);
          }
        }
      };
      await Promise.all(Array.from({ length: 24 }, caller));
      agent.destroy();
    });

    test('B-20: whoever is no gateway learns nothing of a token', async () => {
      const url = `${authority.issuer('sandbox')}/verify`;
      const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers.get('x-client-id'), null);
    });
  });
}

function fail(): never {
  throw new Error('nothing reached the API');
}

/** A call on whichever of the agent's connections is free. */
function keptCall(
  agent: Agent,
  to: { readonly port: number; readonly path: string; readonly token: string },
): Promise<{ readonly status: number; readonly body: string }> {
  const headers = { Authorization: `Bearer ${to.token}` };
  const { port, path } = to;
  return new Promise((resolve, reject) => {
    const outgoing = get({ agent, host: '127.0.0.1', port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject);
  });
}
