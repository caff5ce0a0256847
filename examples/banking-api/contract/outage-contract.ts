/** What a gateway does when the authority, or what stands in its place, gives no answer about the token: never open, never 401. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { valuesOf } from '../test-kit/echo.ts';
import { type GatewayProgram, missing } from '../test-kit/gateway.ts';
import { type Answer, rawCall } from '../test-kit/raw-call.ts';
import { answerOf, NAMED, type Script, says } from '../test-kit/scripted-authority.ts';
import { RESOURCE, scriptedGateway } from '../test-kit/scripted-gateway.ts';

const saysLast =
  (text: string): Script =>
  (socket) =>
    void socket.end(text, 'latin1');

const OUTAGES: Readonly<Record<string, Script>> = {
  'answers 500': says(answerOf('500 Internal Server Error', [], '{"error":"server_error"}')),
  'answers 503': says(answerOf('503 Service Unavailable', ['Retry-After: 7'])),
  'has lost its environment': says(answerOf('404 Not Found')),
  'sends elsewhere': says(answerOf('302 Found', ['Location: http://127.0.0.1:1/'])),
  'does not know the gateway': says(answerOf('403 Forbidden', [], '{"error":"x"}')),
  'has slowed the gateway down': says(answerOf('403 Forbidden', ['Retry-After: 7'])),
  'is another server that says yes to all': says(answerOf('200 OK', [], 'welcome')),
  'names nobody': says(answerOf('200 OK', ['X-Client-Id: ', 'X-Program-Id: program_x'])),
  'says nothing': () => {},
  'hangs up': (socket) => socket.destroy(),
  'closes its half': saysLast(''),
  'closes its half within the head': saysLast('HTTP/1.1 200 OK\r\nX-Client-Id: client_'),
  'sends garbage': saysLast('\x00\x01\x02 200 OK client_test_named\r\n\r\n'),
  'sends words': saysLast('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
};

export function outageContract(program: GatewayProgram): void {
  describe(`${program.name} without an authority`, { skip: missing(program) ?? false }, () => {
    const stage = scriptedGateway(program);
    const call = (target = '/v1/accounts'): Promise<Answer> =>
      rawCall(stage().gateway.port, [`GET ${target} HTTP/1.1`, 'Authorization: Bearer x']);

    test('B-26: an authority that names the caller lets the call through: what follows is about the outage alone', async () => {
      stage().authority.play(says(NAMED));
      assert.equal((await call()).status, 200);
      const arrived = stage().echo.arrived.at(-1);
      assert.deepEqual(arrived && valuesOf(arrived, 'x-client-id'), ['client_test_named']);
    });

    for (const [what, script] of Object.entries(OUTAGES)) {
      test(`B-26, B-27: an authority that ${what} is an outage: 503, and the API sees nothing`, async () => {
        stage().authority.play(script);
        const count = stage().echo.arrived.length;
        const answer = await call();
        assert.equal(answer.status, 503, JSON.stringify(answer));
        assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
        assert.equal(answer.headers['www-authenticate'], undefined);
        assert.equal(stage().echo.arrived.length, count);
      });
    }

    test('an authority that has just closed an idle connection costs no call', async () => {
      stage().authority.play((socket, question) => {
        if (question === 1) socket.write(NAMED, 'latin1');
        else socket.destroy();
      });
      for (let n = 0; n < 4; n += 1) assert.equal((await call()).status, 200);
    });

    test('what a call needs is what the configuration says, whatever stands in its URL', async () => {
      stage().authority.play(says(NAMED));
      const count = stage().authority.asked.length;
      await call('/v1/accounts?scope=&resource=x&mode=y');
      const asked = stage().authority.asked.slice(count);
      assert.equal(asked.length, 1);
      const [, target = ''] = asked[0]?.split(' ') ?? [];
      const { searchParams } = new URL(target, 'http://authority');
      assert.deepEqual(searchParams.getAll('scope'), ['accounts:read']);
      assert.deepEqual(searchParams.getAll('resource'), [RESOURCE]);
      assert.ok(!target.includes('mode=y'));
    });
  });
}
