import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalAddress } from '../endpoints/canonical-address.ts';
import { blockTest, makeAddresses } from './addresses.ts';
import { readHead } from './head.ts';
import { checkListenAddress, isLoopback } from './listen-address.ts';
import { post, rawPeer, request } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';

describe('the caller behind declared proxies', () => {
  const addresses = makeAddresses([
    '10.0.0.0/8',
    '192.0.2.7',
    '2001:db8:1::/48',
    '::ffff:172.16.0.0/108',
  ]);
  const callerOf = (peer: string, forwardedFor: readonly string[], proto = 'https') =>
    addresses(
      peer,
      readHead([
        ...forwardedFor.flatMap((line) => ['X-Forwarded-For', line]),
        'X-Forwarded-Proto',
        proto,
      ]),
    );

  test('is the rightmost address that is not a proxy: the rest is what a caller may write', () => {
    const cases: readonly (readonly [string, readonly string[], string])[] = [
      ['10.1.2.3', ['198.51.100.1'], '198.51.100.1'],
      ['10.1.2.3', ['1.1.1.1, 198.51.100.1'], '198.51.100.1'],
      ['10.1.2.3', ['not an address, 198.51.100.1'], '198.51.100.1'],
      ['10.1.2.3', ['198.51.100.1, 10.9.9.9, 192.0.2.7'], '198.51.100.1'],
      ['10.1.2.3', ['1.1.1.1', '198.51.100.1'], '198.51.100.1'],
      ['10.1.2.3', ['1.1.1.1', '198.51.100.1,10.0.0.1'], '198.51.100.1'],
      ['::ffff:10.1.2.3', ['198.51.100.1:4711'], '198.51.100.1'],
      ['2001:db8:1::5', ['[2001:DB8:2:0::9]:443'], '2001:db8:2::9'],
      ['172.16.5.5', ['::ffff:198.51.100.1'], '198.51.100.1'],
      ['192.0.2.7', ['::ffff:c633:6401'], '198.51.100.1'],
      ['10.1.2.3', ['10.0.0.5, 10.0.0.6'], '10.0.0.5'],
      ['10.1.2.3', [], '10.1.2.3'],
    ];
    for (const [peer, forwardedFor, address] of cases) {
      assert.deepEqual(callerOf(peer, forwardedFor), { address }, `${peer} ${forwardedFor}`);
    }
  });

  test('is nobody when the peer is no proxy, whatever it sends', () => {
    for (const peer of [
      '192.0.2.8',
      '11.0.0.1',
      '2001:db8:2::1',
      '127.0.0.1',
      '::1',
      '172.32.0.1',
    ]) {
      assert.deepEqual(callerOf(peer, ['198.51.100.1']), { refused: 'untrusted-peer' }, peer);
    }
    assert.deepEqual(addresses(undefined, readHead([])), { refused: 'untrusted-peer' });
  });

  test('is refused unless every hop was HTTPS', () => {
    for (const proto of ['http', 'https, http', 'http,https', '', 'httpss', 'wss']) {
      assert.deepEqual(
        callerOf('10.1.2.3', ['198.51.100.1'], proto),
        { refused: 'plain-http' },
        proto,
      );
    }
    for (const proto of ['https', 'HTTPS', 'https, https']) {
      assert.deepEqual(callerOf('10.1.2.3', ['198.51.100.1'], proto), { address: '198.51.100.1' });
    }
  });

  test('is refused when a proxy names something else than an address, or proxies without end', () => {
    const loop = Array.from({ length: 17 }, () => '10.0.0.1').join(',');
    for (const line of [
      'unknown',
      '198.51.100.1, ',
      '198.51.100.999',
      '_hidden',
      `1.1.1.1,${loop}`,
    ]) {
      assert.deepEqual(callerOf('10.1.2.3', [line]), { refused: 'malformed-forwarding' }, line);
    }
  });

  test('is the socket’s peer when no proxy is declared, whatever is forwarded', () => {
    const head = readHead(['X-Forwarded-For', '198.51.100.1', 'X-Forwarded-Proto', 'http']);
    assert.deepEqual(makeAddresses([])('::ffff:192.0.2.1', head), { address: '192.0.2.1' });
    assert.deepEqual(makeAddresses([])('2001:db8::1', head), { address: '2001:db8::1' });
  });
});

test('a block that is none is refused by name', () => {
  for (const block of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    'proxy.internal',
    '10.0.0.0/',
    '::/129',
    '::ffff:1.2.3.4/64',
    '1.2.3.4/8/8',
    '1.2.3.4/-1',
  ]) {
    assert.throws(() => blockTest([block]), /^Error: Not an address block: /, block);
  }
  assert.equal(blockTest(['0.0.0.0/0'])('203.0.113.1'), true);
  assert.equal(blockTest(['0.0.0.0/0'])('2001:db8::1'), false);
});

test('an address has one spelling', () => {
  assert.equal(canonicalAddress('2001:0DB8:0:0::1'), '2001:db8::1');
  assert.equal(canonicalAddress('fe80::1%eth0'), 'fe80::1');
  assert.equal(canonicalAddress('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(canonicalAddress('192.0.2.1'), '192.0.2.1');
  for (const text of ['', '192.0.2', '192.0.2.01', '0x7f.1', 'localhost', '[::1]']) {
    assert.equal(canonicalAddress(text), undefined, text);
  }
});

describe('a listener with declared proxies', () => {
  test('serves the proxy’s HTTPS callers, refuses plain ones without a redirect, and never others (T-59)', async (t) => {
    const { port, seen } = await testListener(t, { trustedProxies: ['127.0.0.0/8'] });
    const peer = rawPeer(port);
    const forwarded = (proto: string): string =>
      post('/sandbox/token', 'a=b', [
        'X-Forwarded-For: 198.51.100.1',
        `X-Forwarded-Proto: ${proto}`,
      ]);
    peer.send(forwarded('https') + forwarded('http') + post('/sandbox/token', 'a=b'));
    const answers = await peer.answers(3);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400, 400],
    );
    for (const answer of answers) assert.equal(answer.headers['location'], undefined);
    assert.deepEqual(
      seen.map(({ address }) => address),
      ['198.51.100.1'],
    );
    peer.destroy();
  });

  test('refuses every peer that is none of them, but answers probes', async (t) => {
    const { port, seen } = await testListener(t, { trustedProxies: ['192.0.2.0/24'] });
    const peer = rawPeer(port);
    peer.send(
      post('/sandbox/token', 'a=b', ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https']),
    );
    peer.send(request('GET /health/live', ['Host: a']));
    const [refused, health] = await peer.answers(2);
    assert.equal(refused?.status, 403);
    assert.equal(JSON.parse(refused.body).error, 'invalid_request');
    assert.equal(health?.status, 200);
    assert.equal(seen.length, 1);
    peer.destroy();
  });
});

describe('plain HTTP', () => {
  const plain = (host: string) => checkListenAddress({ host, tls: false, trustedProxies: [] });

  test('is served on loopback', () => {
    for (const host of [
      '127.0.0.1',
      '127.8.9.1',
      '::1',
      'localhost',
      'LOCALHOST',
      '::ffff:127.0.0.1',
    ]) {
      assert.equal(plain(host), undefined, host);
      assert.equal(isLoopback(host), true);
    }
  });

  test('is refused anywhere else, in one sentence with the three ways out', () => {
    for (const host of [
      '0.0.0.0',
      '::',
      '',
      '192.168.1.5',
      'auth.bank.example',
      'localhost.evil.example',
      '127.0.0.1.nip.io',
    ]) {
      const sentence = plain(host) ?? '';
      assert.match(sentence, /certificate[\s\S]+proxy[\s\S]+127\.0\.0\.1\.$/, host);
      assert.doesNotMatch(sentence, /\n/);
    }
  });

  test('is served anywhere once a TLS proxy is declared; HTTPS always is', () => {
    assert.equal(
      checkListenAddress({ host: '0.0.0.0', tls: false, trustedProxies: ['10.0.0.0/8'] }),
      undefined,
    );
    assert.equal(checkListenAddress({ host: '0.0.0.0', tls: true, trustedProxies: [] }), undefined);
  });
});
