/** That a gateway asks about the path that the API serves, and about every request, whatever its target, method and headers say. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Arrived, valuesOf } from '../test-kit/echo.ts';
import { type GatewayProgram, missing } from '../test-kit/gateway.ts';
import { rawCall, rawText } from '../test-kit/raw-call.ts';
import { NAMED, NO_SCOPE, NO_TOKEN, type Script } from '../test-kit/scripted-authority.ts';
import { scriptedGateway } from '../test-kit/scripted-gateway.ts';

/** Knows one token, which lacks the scope of accounts. */
const NARROW: Script = (socket, _question, head) => {
  const hasToken = /^authorization: bearer narrow\r?$/im.test(head);
  const needsScope = /^GET [^ ]*scope=accounts:read/.test(head);
  socket.write(hasToken ? (needsScope ? NO_SCOPE : NAMED) : NO_TOKEN);
};
const BEARER = 'Authorization: Bearer narrow';

const TRICKS = [
  '/v1/accounts',
  '/v1/accounts/',
  '/v1/accounts/1',
  '/v1/profiles/../accounts',
  '/v1/profiles/%2e%2e/accounts',
  '/v1/profiles/.%2e/accounts',
  '/v1/profiles%2f..%2faccounts',
  '/v1/profiles/%2E%2E%2Faccounts',
  '/v1/profiles/..;/accounts',
  '/v1/profiles/..;x=y/accounts',
  '/v1;x/accounts',
  '/;/v1/accounts',
  '/v1/accounts;x',
  '/v1%3bx/accounts',
  '/v1\\accounts',
  '/v1%5caccounts',
  '/v1/profiles/..\\accounts',
  '\\v1\\accounts',
  '//v1//accounts',
  '/v1//accounts',
  '//evil.example/v1/accounts',
  '/v1/./accounts',
  '/v1/%61ccounts',
  '/v1/%2561ccounts',
  '/v1/%252e%252e/v1/accounts',
  '/V1/ACCOUNTS',
  '/v1/Accounts',
  '/v1/accounts%00',
  '/v1/accounts%20',
  '/v1/profiles%00/../accounts',
  '/v1/accounts#/../profiles',
  '/v1/profiles#/../accounts',
  '/v1/profiles%23/../accounts',
  '/v1/accounts?path=/health',
  '/v1/accounts?/../profiles',
  'http://evil.example/v1/accounts',
  'http://api.bank.example/v1/profiles/../accounts',
  'v1/accounts',
];

/** Every path that some API or framework would take the target for. */
function readings(target: string): ReadonlySet<string> {
  const withoutQuery = target.replace(/\?.*$/, '').replace(/^http:\/\/[^/]*/, '');
  const found = new Set<string>();
  let text = withoutQuery;
  for (let times = 0; times < 3; times += 1) {
    const slashed = text.replaceAll('\\', '/');
    for (const cut of [slashed, slashed.replace(/[#\0].*$/s, '')]) {
      const plain = cut
        .replace(/;[^/]*/g, '')
        .replace(/\/{2,}/g, '/')
        .replaceAll('#', '%23');
      const { pathname } = new URL(`http://api/${plain.replace(/^\//, '')}`);
      found.add(pathname.toLowerCase());
    }
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return found;
}

const servesAccounts = ({ url }: Arrived): boolean =>
  [...readings(url)].some((path) => /^(\/evil\.example)?\/v1\/accounts/.test(path));

export function pathContract(program: GatewayProgram): void {
  describe(`${program.name} and what a caller writes`, { skip: missing(program) ?? false }, () => {
    const stage = scriptedGateway(program);
    const arriving = async (make: () => Promise<unknown>): Promise<readonly Arrived[]> => {
      const { authority, echo } = stage();
      authority.play(NARROW);
      const count = echo.arrived.length;
      await make();
      return echo.arrived.slice(count);
    };
    const send = (first: string, ...lines: readonly string[]): Promise<string> => {
      const head = [first, 'Host: api.bank.example', 'Connection: close', ...lines];
      return rawText(stage().gateway.port, `${head.join('\r\n')}\r\n\r\n`);
    };

    test('what the readings of a path are good for: each trick is seen through', () => {
      const seenThrough = (url: string) =>
        servesAccounts({ url, method: '', headers: [], body: '' });
      const unseen = TRICKS.filter((trick) => !seenThrough(trick));
      assert.deepEqual(unseen, []);
      for (const url of ['/v1/profiles', '/v1/profiles?path=/v1/accounts', '/v1/profiles/a.b']) {
        assert.ok(!seenThrough(url), url);
      }
    });

    test('B-23: whatever the path, a token without the scope of what the API serves does not pass', async () => {
      for (const target of TRICKS) {
        for (const method of ['GET', 'POST', 'HEAD']) {
          const arrived = await arriving(() => send(`${method} ${target} HTTP/1.1`, BEARER));
          assert.deepEqual(arrived.filter(servesAccounts), [], `${method} ${target}`);
        }
      }
    });

    test('B-23: paths that all read alike pass as they are', async () => {
      for (const target of [
        '/',
        '/v1/profiles/a.b..c',
        '/v1/profiles/caf%C3%A9%20x',
        '/v1/profiles?path=/v1/accounts/../x;y#',
        '/v1/profiles?a=//b&c=%2e%2e%2f',
      ]) {
        const arrived = await arriving(() => send(`GET ${target} HTTP/1.1`, BEARER));
        assert.deepEqual(
          arrived.map(({ url }) => url.replace(/#$/, '')),
          [target.replace(/#$/, '')],
        );
      }
    });

    test('B-23, B-25: without a token nothing passes: no path, no health check and no name of a monitor', async () => {
      const monitors = ['kube-probe/1.30', 'ELB-HealthChecker/2.0', 'Prometheus/2.0', 'nginx'];
      for (const target of [
        ...TRICKS,
        '/health',
        '/health/live',
        '/_verify',
        '/favicon.ico',
        '*',
      ]) {
        const arrived = await arriving(async () => {
          for (const monitor of monitors.slice(0, target.startsWith('/health') ? 4 : 1)) {
            await send(`GET ${target} HTTP/1.1`, `User-Agent: ${monitor}`);
          }
        });
        assert.deepEqual(arrived, [], target);
      }
      const { status } = await rawCall(stage().gateway.port, ['GET /_verify HTTP/1.1', BEARER]);
      assert.notEqual(status, 204);
    });

    test('B-20, B-23: no header moves the path that the API serves', async () => {
      const names = ['X-Original-URL', 'X-Original-URI', 'X-Rewrite-URL', 'X-Forwarded-Uri'];
      const lines = names.map((name) => `${name}: /v1/accounts`);
      const [arrived] = await arriving(() => send('GET /v1/profiles HTTP/1.1', BEARER, ...lines));
      assert.ok(arrived !== undefined);
      assert.ok(!arrived.headers.includes('/v1/accounts'), arrived.headers.join('\n'));
      const health = names.map((name) => `${name}: /health`);
      const none = await arriving(() => send('GET /v1/accounts HTTP/1.1', BEARER, ...health));
      assert.deepEqual(none, []);
    });

    test('B-24: neither a method nor an override of it passes without the token and its scope', async () => {
      const overrides = [
        'X-HTTP-Method-Override: OPTIONS',
        'X-HTTP-Method: HEAD',
        'X-Method-Override: GET',
        'X-Forwarded-Method: OPTIONS',
        'X-Original-Method: OPTIONS',
      ];
      const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'TRACE', 'CONNECT', 'PROPFIND', 'get'];
      for (const method of methods) {
        const targets = ['/v1/accounts', ...(method === 'CONNECT' ? ['api.bank.example:80'] : [])];
        for (const target of [...targets, '*', '']) {
          for (const version of [' HTTP/1.1', ' HTTP/1.0', '']) {
            const first = `${method} ${target}${version}`;
            const arrived = await arriving(async () => {
              await Promise.all([send(first, ...overrides), send(first, BEARER, ...overrides)]);
            });
            const passed = arrived.filter((one) => servesAccounts(one) || one.method === 'CONNECT');
            assert.deepEqual(passed, [], first);
          }
        }
      }
    });

    test('no upgrade but to a websocket reaches the API, where it would be a tunnel', async () => {
      for (const upgrade of ['h2c', 'websocket, h2c', 'TLS/1.0', 'WebSocket']) {
        const [arrived] = await arriving(() =>
          rawText(
            stage().gateway.port,
            `GET /v1/profiles HTTP/1.1\r\nHost: a\r\n${BEARER}\r\nUpgrade: ${upgrade}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
          ),
        );
        const values = arrived === undefined ? [] : valuesOf(arrived, 'upgrade');
        assert.ok(
          values.every((value) => value.toLowerCase() === 'websocket'),
          `${upgrade}: ${values}`,
        );
      }
    });
  });
}
