import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authority } from './context.ts';
import type { Incoming } from './exchange.ts';
import { gatewayOf } from './gateway.ts';

const GATEWAY = '127.0.0.1';
/** Without credentials nothing of it is looked at. */
const NONE = {} as Authority;

const asked = (peer: string, address: string) => {
  const incoming: Incoming = {
    ...{ requestId: 'r', peer, address, query: '', authorization: [] },
    ...{ contentType: undefined, body: new Uint8Array() },
  };
  return gatewayOf(NONE, 1, { incoming, isGateway: (one) => one === GATEWAY });
};

test('a declared address is a gateway, and a stranger whose request a proxy there passes on is none', () => {
  assert.equal(asked(GATEWAY, GATEWAY), undefined);
  assert.equal(asked('::ffff:127.0.0.1', GATEWAY), undefined);
  for (const [peer, address] of [
    [GATEWAY, '198.51.100.7'],
    ['198.51.100.7', '198.51.100.7'],
    ['198.51.100.7', GATEWAY],
    ['', ''],
  ] as const) {
    assert.deepEqual(asked(peer, address), { refusal: { reason: 'not-a-gateway' } });
  }
});
