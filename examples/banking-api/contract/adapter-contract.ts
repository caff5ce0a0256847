/** What every adapter of @countersign/resource-server must do, told by handlers that count who reached them. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Identity, Verifier } from '@countersign/resource-server';
import type { Adapter, Guard, Served } from '../test-kit/adapters.ts';
import type { Authority } from '../test-kit/authority.ts';
import { type Answer, rawCall } from '../test-kit/raw-call.ts';

/** What all adapters are tested with: made once, because an authority takes seconds to start. */
export type World = {
  readonly authority: Authority;
  /** Asks about each token. */
  readonly asking: Verifier;
  /** Follows the authority's revocations and remembers. */
  readonly subscribed: Verifier;
  /** Its authority is not there. */
  readonly lost: Verifier;
  /** A token of `accounts:read` and `profiles:read`, and whose it is. */
  readonly token: string;
  readonly programId: string;
  readonly clientId: string;
  /** Tokens that were good once. */
  readonly revoked: string;
  readonly expired: string;
  /** Good from 127.0.0.1 alone. */
  readonly held: string;
  /** A program for each adapter to suspend, by the adapter's name. */
  readonly leaky: ReadonlyMap<string, { readonly programId: string; readonly token: string }>;
};

const bearer = (token: string): string => `Authorization: Bearer ${token}`;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function adapterContract(adapter: Adapter, world: () => World): void {
  describe(`a guard on ${adapter.name}`, () => {
    let served: Served;
    const reached: string[] = [];

    before(async () => {
      const { asking, subscribed, lost } = world();
      const guards: Readonly<Record<string, Guard | undefined>> = {
        '/accounts': { verifier: asking, scope: 'accounts:read' },
        '/remembered': { verifier: subscribed, scope: 'accounts:read' },
        '/narrow': { verifier: asking, scope: 'accounts:read transactions:write' },
        '/proxied': { verifier: asking, addressHeader: 'x-real-ip' },
        '/lost': { verifier: lost, scope: 'accounts:read' },
        '/open': undefined,
        '/forgotten': undefined,
      };
      const routes = Object.entries(guards).map(([path, guard]) => ({
        ...{ path, guard },
        handle: (who: () => Identity, typed: () => Identity): string => {
          // First of all, so that a handler counts as reached whatever it finds.
          reached.push(path);
          if (path === '/open') return '{}';
          const identity = who();
          assert.equal(typed(), identity);
          return JSON.stringify({ ...identity, scope: [...identity.scope] });
        },
      }));
      served = await adapter.serve(routes);
    });
    after(() => served?.stop());

    const call = (request: string, ...lines: readonly string[]): Promise<Answer> =>
      rawCall(served.port, [`${request} HTTP/1.1`, ...lines]);
    /** No handler was reached, and what went out shows nothing of the token. */
    const refused = async (status: number, request: string, ...lines: readonly string[]) => {
      const before = reached.length;
      const answer = await call(request, ...lines);
      assert.deepEqual(reached.slice(before), [], `${request} reached its handler`);
      assert.equal(answer.status, status, `${request} ${JSON.stringify(answer)}`);
      for (const line of lines) {
        const token = /Bearer (\S{20,})/.exec(line)?.[1];
        assert.ok(token === undefined || !JSON.stringify(answer).includes(token));
      }
      return answer;
    };
    const passed = async (request: string, ...lines: readonly string[]): Promise<Answer> => {
      const before = reached.length;
      const answer = await call(request, ...lines);
      assert.equal(answer.status, 200, `${request} ${JSON.stringify(answer)}`);
      assert.equal(reached.length, before + 1, request);
      return answer;
    };
    const challengeOf = (answer: Answer): string => answer.headers['www-authenticate'] ?? '';

    test('tells the handler whose request it is', async () => {
      const { token, programId, clientId } = world();
      const { body } = await passed('GET /accounts?page=2', bearer(token));
      const identity = JSON.parse(body) as Readonly<Record<string, unknown>>;
      assert.deepEqual([identity['programId'], identity['clientId']], [programId, clientId]);
      assert.deepEqual(identity['scope'], ['accounts:read', 'profiles:read']);
      assert.match(String(identity['tokenId']), /^[\w-]{16}$/);
      assert.ok(!body.includes(token));
      await passed('GET /accounts/7', `authorization: bearer ${token}`);
    });

    test('B-03 to B-05: refuses a request without a token by a challenge that names no error', async () => {
      for (const lines of [[], ['Authorization: Basic YTpi']]) {
        const answer = await refused(401, 'GET /accounts', ...lines);
        assert.equal(challengeOf(answer), 'Bearer realm="bank"');
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
        assert.deepEqual(Object.keys(JSON.parse(answer.body)), ['error_description']);
      }
    });

    test('refuses a malformed, an expired and a revoked token alike, as invalid_token', async () => {
      const { token, expired, revoked } = world();
      const bodies = new Set<string>();
      for (const dead of ['nonsense', `${token}A`, `${token},${token}`, expired, revoked]) {
        const answer = await refused(401, 'GET /accounts', bearer(dead));
        assert.match(challengeOf(answer), /^Bearer realm="bank", error="invalid_token"/);
        bodies.add(answer.body);
      }
      assert.equal(bodies.size, 1);
    });

    test('refuses two headers, and a token in the URL, whatever else stands there', async () => {
      const { token } = world();
      const good = bearer(token);
      const cases: readonly (readonly string[])[] = [
        ['GET /accounts', good, good],
        ['GET /accounts', good, 'Authorization: Basic YTpi'],
        ['GET /accounts?access_token=x', good],
        ['GET /accounts/7?a=b&access%5Ftoken=x'],
        ['GET http://api.bank.example/accounts?access_token=x', good],
      ];
      for (const [request = '', ...lines] of cases) {
        const answer = await refused(400, request, ...lines);
        assert.match(challengeOf(answer), /error="invalid_request"/);
      }
    });

    test('refuses a token that lacks a scope, and names the scopes', async () => {
      const answer = await refused(403, 'GET /narrow', bearer(world().token));
      const expected = /error="insufficient_scope".*, scope="accounts:read transactions:write"$/;
      assert.match(challengeOf(answer), expected);
    });

    test('answers 503 while the authority is away, and says nothing of the token', async () => {
      const answer = await refused(503, 'GET /lost', bearer(world().token));
      assert.equal(answer.headers['retry-after'], '1');
      assert.equal(answer.headers['www-authenticate'], undefined);
      assert.match(answer.body, /temporarily_unavailable/);
    });

    test('guards every method', async () => {
      for (const method of METHODS) {
        await refused(401, `${method} /accounts`);
        await passed(`${method} /accounts`, bearer(world().token));
      }
    });

    test('knows the caller by its socket, or by what the proxy wrote, and never by what else it says', async () => {
      const { held } = world();
      await passed('GET /accounts', bearer(held));
      await passed('GET /proxied', bearer(held), 'X-Real-IP: 127.0.0.1');
      const elsewhere = 'X-Real-IP: 192.0.2.1';
      await refused(401, 'GET /proxied', bearer(held), elsewhere, 'X-Forwarded-For: 127.0.0.1');
      await passed('GET /accounts', bearer(held), elsewhere, 'X-Forwarded-For: 192.0.2.1');
    });

    test('that fails lets nobody through', async () => {
      await refused(500, 'GET /proxied', bearer(world().held));
    });

    test('that was forgotten is noticed: the handler fails before it shows anything', async () => {
      const before = reached.length;
      const answer = await call('GET /forgotten', bearer(world().token));
      assert.equal(answer.status, 500);
      assert.equal(answer.body.includes(world().programId), false);
      assert.deepEqual(reached.slice(before), ['/forgotten'], 'the count tells who came too far');
      // Where nobody asks whose request it is, anybody gets in.
      await passed('GET /open');
    });

    test('refuses a suspended program from the receipt on, whether it asks or remembers', async () => {
      const { authority, leaky } = world();
      const { programId = '', token = '' } = leaky.get(adapter.name) ?? {};
      for (const path of ['/accounts', '/remembered', '/remembered']) {
        await passed(`GET ${path}`, bearer(token));
      }
      await authority.operate('program', 'suspend', programId, '--reason', 'leaked');
      for (const path of ['/accounts', '/remembered']) {
        assert.match(
          challengeOf(await refused(401, `GET ${path}`, bearer(token))),
          /invalid_token/,
        );
      }
    });
  });
}
