import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSettings } from './settings.ts';

const own = { CLIENT_ID: 'client', CLIENT_SECRET: 'planted-secret' };

describe('the settings', () => {
  it('need only the credentials', () => {
    assert.deepEqual(readSettings(own), {
      host: '127.0.0.1',
      port: 8090,
      issuer: 'http://127.0.0.1:8080/sandbox',
      clientId: 'client',
      clientSecret: 'planted-secret',
      data: './data-banking-api',
    });
    assert.equal(readSettings({ ...own, BANKING_API_LISTEN: '[::1]:9' }).host, '::1');
    assert.equal(
      readSettings({ ...own, ISSUER: 'https://a.example/x/' }).issuer,
      'https://a.example/x',
    );
  });

  it('name the variable that is wrong, and never a secret', () => {
    const rows: readonly (readonly [RegExp, Record<string, string>])[] = [
      [/^CLIENT_SECRET /, { CLIENT_SECRET: ' ' }],
      [/^CLIENT_ID /, { CLIENT_ID: '' }],
      [/^BANKING_API_LISTEN .*HOST:PORT/, { BANKING_API_LISTEN: '8090' }],
      [/^BANKING_API_LISTEN /, { BANKING_API_LISTEN: '127.0.0.1:65536' }],
      [/^BANKING_API_LISTEN .*loopback/, { BANKING_API_LISTEN: '0.0.0.0:8090' }],
      [/^BANKING_API_LISTEN .*loopback/, { BANKING_API_LISTEN: '127.evil.example:80' }],
      [/^ISSUER .*https/, { ISSUER: 'http://auth.bank.example' }],
      [/^ISSUER /, { ISSUER: 'ftp://127.0.0.1' }],
    ];
    for (const [expected, environment] of rows) {
      assert.throws(
        () => readSettings({ ...own, ...environment }),
        (error: Error) => {
          assert.match(error.message, expected);
          assert.doesNotMatch(error.message, /planted-secret/);
          return true;
        },
      );
    }
  });
});
