import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { baseUrlOf, readConfig } from './config.ts';
import { newDataDirectory } from './testing/data.ts';

const read = (flags = {}, env = {}) => readConfig({ flags, env });

function fileWith(content: unknown): string {
  const path = join(newDataDirectory(), 'countersign.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

test('nothing given, everything has its default', () => {
  const config = read();
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(
    config.environments.map(({ name, tag }) => `${name}=${tag}`),
    ['sandbox=test', 'production=live'],
  );
  assert.equal(baseUrlOf(config), 'http://127.0.0.1:8080');
});

test('a flag wins over its variable, that over the file, that over the default', () => {
  const config = fileWith({ data: 'file', workers: 2, leaseMs: 2000, logLevel: 'warn' });
  const env = { COUNTERSIGN_DATA: 'env', COUNTERSIGN_WORKERS: '3' };
  const got = read({ config, data: 'flag' }, env);
  assert.deepEqual([got.data, got.workers, got.leaseMs, got.logLevel], ['flag', 3, 2000, 'warn']);
});

test('an empty variable counts as not set', () => {
  assert.equal(read({}, { COUNTERSIGN_DATA: '' }).data, './data');
});

test('issuers stand on the public URL, or on the listener as it is reached', () => {
  assert.equal(
    baseUrlOf(read({ 'public-url': 'https://auth.bank.example' })),
    'https://auth.bank.example',
  );
  const tls = { 'tls-certificate': 'c', 'tls-key': 'k', listen: '[::1]:8443' };
  assert.equal(baseUrlOf(read(tls)), 'https://[::1]:8443');
});

test('whatever is wrong is refused with its name and what is expected', () => {
  const wrong: readonly [Record<string, string>, Record<string, string>, RegExp][] = [
    [{ listen: '8080' }, {}, /^--listen: expected HOST:PORT/],
    [{ listen: '127.0.0.1:99999' }, {}, /^--listen: expected HOST:PORT/],
    [{ workers: '0' }, {}, /^--workers: expected a whole number from 1 to 64/],
    [{}, { COUNTERSIGN_LEASE_MS: '10' }, /^COUNTERSIGN_LEASE_MS: expected a whole number/],
    [{}, { COUNTERSIGN_LOG_LEVEL: 'loud' }, /^COUNTERSIGN_LOG_LEVEL: expected one of/],
    [{ 'trusted-proxy': '10.0.0.0/99' }, {}, /^--trusted-proxy: expected addresses/],
    [{ 'public-url': 'auth.bank.example' }, {}, /^--public-url: expected a URL/],
    [{ 'public-url': 'https://auth.bank.example/' }, {}, /^--public-url: expected a URL/],
    [{ 'public-url': 'https://a.example/?x' }, {}, /^--public-url: expected a URL/],
    [{ listen: '127.0.0.1:0' }, {}, /^--listen: port 0/],
    [{ 'tls-key': 'k' }, {}, /--tls-certificate and --tls-key go together/],
    [{ 'database-url': 'postgres://x' }, {}, /^--database-url: expected a URL such as postgres:/],
    [{}, { COUNTERSIGN_MASTER_KEY: 'x', COUNTERSIGN_MASTER_KEY_FILE: 'y' }, /more than once/],
  ];
  for (const [flags, env, message] of wrong) {
    assert.throws(() => read(flags, env), { name: 'ConfigurationError', message });
  }
});

test('a configuration file that is none is refused with the reason', () => {
  const env = { name: 'sandbox', tag: 'test' };
  const wrong: readonly [string, RegExp][] = [
    ['/nowhere/at/all.json', /ENOENT/],
    [fileWith('{'), /it is not JSON/],
    [fileWith([]), /expected one JSON object/],
    [fileWith({ colour: 'blue' }), /there is no setting "colour"/],
    [fileWith({ masterKey: 'secret' }), /there is no setting "masterKey"/],
    [fileWith({ environments: [] }), /a list of environments/],
    [fileWith({ environments: [{ name: 'Sandbox', tag: 'test' }] }), /a list of environments/],
    [fileWith({ environments: [env, { ...env, name: 'other' }] }), /none of them twice/],
    [fileWith({ environments: [{ ...env, issuer: 'ftp://x' }] }), /a URL such as/],
  ];
  for (const [config, message] of wrong) assert.throws(() => read({ config }), message);
});

test('the value of a secret never stands in a message', () => {
  const planted = 'planted-master-key';
  const env = { COUNTERSIGN_MASTER_KEY: planted, COUNTERSIGN_MASTER_KEY_COMMAND: planted };
  assert.throws(
    () => read({}, env),
    (error: Error) => !error.message.includes(planted),
  );
});
