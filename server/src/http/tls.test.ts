import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { post, type RawPeer, rawPeer } from './testing/raw-socket.ts';
import { builtListener, testListener } from './testing/test-listener.ts';
import { loadCertificate } from './tls.ts';

const withoutOpenssl = opensslIsMissing();

type Files = { readonly certificateFile: string; readonly keyFile: string };

/** Makes a self-signed certificate for a name; the files are gone when the test ends. */
function certificate(
  t: TestContext,
  name: string,
  more: readonly string[] = ['-days', '2'],
): Files {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = { certificateFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const out = ['-keyout', files.keyFile, '-out', files.certificateFile, '-subj', `/CN=${name}`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...out, ...more], { stdio: 'pipe' });
  return files;
}

async function opened(
  t: TestContext,
  port: number,
  options: ConnectionOptions = {},
): Promise<{ readonly peer: RawPeer; readonly socket: TLSSocket }> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('secureConnect', resolve);
  socket.once('error', reject);
  await promise;
  return { peer: rawPeer(port, socket), socket };
}

describe('native HTTPS', { skip: withoutOpenssl }, () => {
  test('serves as plain HTTP does, by TLS 1.3 when it may, with HSTS (T-47)', async (t) => {
    const tls = certificate(t, 'first');
    const { port, seen, logged } = await testListener(t, { tls });
    const { peer, socket } = await opened(t, port);
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    peer.send(post('/sandbox/token', 'a=b'));
    const [answer] = await peer.answers(1);
    assert.equal(answer?.status, 200);
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
    assert.equal(seen[0]?.address, '127.0.0.1');
    assert.deepEqual(logged, []);
  });

  test('takes TLS 1.2 with forward secrecy and authenticated encryption, and nothing weaker', async (t) => {
    const { port } = await testListener(t, { tls: certificate(t, 'first') });
    const { socket } = await opened(t, port, { maxVersion: 'TLSv1.2' });
    assert.match(socket.getCipher().name, /^ECDHE-ECDSA-.*(GCM|CHACHA20)/);
    const weak: readonly ConnectionOptions[] = [
      // SECLEVEL=0: our own side must be willing, or the refusal would be the client's.
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' },
    ];
    for (const options of weak) await assert.rejects(opened(t, port, options), /alert/i);
  });

  test('follows a renewed certificate without dropping a connection', async (t) => {
    const tls = certificate(t, 'first');
    const renewed = certificate(t, 'second');
    const { port, listener, logged } = await testListener(t, { tls });
    const old = await opened(t, port);
    old.peer.send(post('/sandbox/token', 'a=b'));
    await old.peer.answers(1);

    renameSync(renewed.certificateFile, tls.certificateFile);
    await listener.reloadCertificate();
    await listener.reloadCertificate();
    // Half of a pair: the old one stays in use, and that is said once.
    assert.equal((await opened(t, port)).socket.getPeerCertificate().subject.CN, 'first');
    assert.deepEqual(
      logged.map(({ level }) => level),
      ['error'],
    );
    assert.match(JSON.stringify(logged), /does not belong to the certificate/);

    renameSync(renewed.keyFile, tls.keyFile);
    await listener.reloadCertificate();
    const fresh = await opened(t, port);
    assert.equal(fresh.socket.getPeerCertificate().subject.CN, 'second');
    assert.equal(fresh.socket.getProtocol(), 'TLSv1.3');
    old.peer.send(post('/sandbox/token', 'a=b'));
    assert.equal((await old.peer.answers(2))[1]?.status, 200);
    await assert.rejects(
      opened(t, port, {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
      /alert/i,
    );
  });

  test('looks at the files by itself', async (t) => {
    const tls = certificate(t, 'first');
    const renewed = certificate(t, 'second');
    const { port, logged } = await testListener(t, { tls: { ...tls, checkMs: 20 } });
    renameSync(renewed.keyFile, tls.keyFile);
    renameSync(renewed.certificateFile, tls.certificateFile);
    while (!logged.some(({ level }) => level === 'info')) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal((await opened(t, port)).socket.getPeerCertificate().subject.CN, 'second');
  });

  test('says nothing to plain HTTP but that it is not TLS, and never redirects (T-59)', async (t) => {
    const { port, seen } = await testListener(t, { tls: certificate(t, 'first') });
    const plain = rawPeer(port);
    plain.send(post('/sandbox/token', 'client_secret=x'));
    assert.doesNotMatch(await plain.closed, /HTTP/);
    assert.equal(seen.length, 0);
  });

  test('closes while a handshake never ends', async (t) => {
    const { port, listener } = await testListener(t, {
      tls: certificate(t, 'first'),
      limits: { drainMsMax: 100 },
    });
    const mute = rawPeer(port);
    const { peer } = await opened(t, port);
    const closed = listener.close();
    await peer.closed;
    await mute.closed;
    await closed;
  });

  test('starts with an expired certificate, and warns', async (t) => {
    const tls = certificate(t, 'old', ['-days', '1']);
    const clock = {
      wallMs: () => Date.now() + 3 * 24 * 3_600_000,
      monotonicMs: () => performance.now(),
      sleep: async () => undefined,
    };
    const { logged } = await testListener(t, { tls, clock });
    assert.equal(logged[0]?.level, 'warn');
    assert.match(logged[0].message, /certificate expired at \d{4}-/);
  });
});

describe('a certificate that cannot be used', { skip: withoutOpenssl }, () => {
  test('stops the start, naming the file at fault and showing none of it', async (t) => {
    const one = certificate(t, 'one');
    const other = certificate(t, 'other');
    const garbage = `${one.keyFile}.garbage`;
    writeFileSync(garbage, '-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n');
    const cases: readonly (readonly [Files, RegExp])[] = [
      [{ ...one, keyFile: other.keyFile }, /key in .* does not belong to the certificate in /],
      [
        { ...one, certificateFile: '/nowhere/cert.pem' },
        /certificate file \/nowhere\/cert\.pem cannot be read \(ENOENT\)/,
      ],
      [
        { ...one, keyFile: '/nowhere/key.pem' },
        /private key file \/nowhere\/key\.pem cannot be read \(ENOENT\)/,
      ],
      [{ ...one, keyFile: garbage }, /garbage holds no PEM private key/],
      [{ ...one, keyFile: one.certificateFile }, /holds no PEM private key/],
      [{ ...one, certificateFile: one.keyFile }, /holds no PEM certificate/],
    ];
    for (const [tls, message] of cases) {
      await assert.rejects(builtListener({ tls }), message);
      await assert.rejects(loadCertificate(tls), (error: Error) => {
        assert.doesNotMatch(`${error.message} ${error.stack}`, /planted|BEGIN/);
        return true;
      });
    }
  });
});

function opensslIsMissing(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return false;
  } catch {
    // A skip nobody sees is no test: where everything is provided, its absence is a fault.
    if (process.env['CI'] !== undefined) throw new Error('the TLS tests need the openssl command');
    return 'the openssl command is missing';
  }
}
