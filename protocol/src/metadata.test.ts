import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataDocument, wellKnownPaths } from './metadata.ts';

const ISSUER = 'https://auth.bank.example/sandbox';

test('D-03, D-05, D-06, D-07, T-75: the document says exactly what the authority does', () => {
  assert.deepEqual(JSON.parse(metadataDocument({ issuer: ISSUER, scopes: ['a', 'b'] })), {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    introspection_endpoint: `${ISSUER}/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_post'],
    revocation_endpoint: `${ISSUER}/revoke`,
    revocation_endpoint_auth_methods_supported: ['client_secret_post'],
    grant_types_supported: ['client_credentials'],
    scopes_supported: ['a', 'b'],
  });
});

test('T-75: where Basic is taken too, each of the three endpoints says so, the body first', () => {
  const document: Record<string, unknown> = JSON.parse(
    metadataDocument({ issuer: ISSUER, scopes: [], takesBasic: true }),
  );
  for (const endpoint of ['token', 'introspection', 'revocation']) {
    const methods = document[`${endpoint}_endpoint_auth_methods_supported`];
    assert.deepEqual(methods, ['client_secret_post', 'client_secret_basic'], endpoint);
  }
});

test('D-09, D-10: no empty array, and no member for what does not exist', () => {
  const documented = metadataDocument({
    issuer: ISSUER,
    scopes: [],
    documentation: 'https://developer.bank.example/',
  });
  const members: { service_documentation?: string } = JSON.parse(documented);
  assert.equal(members.service_documentation, 'https://developer.bank.example/');
  for (const absent of [
    'scopes_supported',
    'response_types_supported',
    'authorization_endpoint',
    'registration_endpoint',
    'jwks_uri',
  ]) {
    assert.ok(!(absent in members), absent);
  }
});

test('D-01, D-02: the document stands before the path of the issuer, and after it', () => {
  assert.deepEqual(wellKnownPaths(ISSUER), [
    '/.well-known/oauth-authorization-server/sandbox',
    '/sandbox/.well-known/oauth-authorization-server',
  ]);
  assert.deepEqual(wellKnownPaths(`${ISSUER}/`), wellKnownPaths(ISSUER));
});

test('D-01: an issuer without a path has one location', () => {
  for (const issuer of ['https://auth.bank.example', 'http://127.0.0.1:8080/']) {
    assert.deepEqual(wellKnownPaths(issuer), ['/.well-known/oauth-authorization-server']);
  }
});
