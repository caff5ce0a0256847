import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { startAuthority } from './harness.ts';
import { declareScopes, newClient, newProgram } from './onboarding.ts';

const authority = await startAuthority();
after(() => authority.stop());
await declareScopes(authority, ['accounts:read']);
const program = await newProgram(authority);
const client = await newClient(authority, program, { scope: 'accounts:read' });
const server = await newClient(authority, program, { isResourceServer: true });
const issuer = new URL(authority.issuer());

describe('openid-client, as its documentation shows it', () => {
  const discover = (id: string, authentication: openid.ClientAuth): Promise<openid.Configuration> =>
    openid.discovery(issuer, id, undefined, authentication, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });

  test('R-01, D-01: discovers, gets a token, has it introspected and revokes it', async () => {
    const mine = await discover(client.client_id, openid.ClientSecretPost(client.client_secret));
    const bank = await discover(server.client_id, openid.ClientSecretPost(server.client_secret));
    const granted = await openid.clientCredentialsGrant(mine, { scope: 'accounts:read' });
    assert.equal(granted.token_type, 'bearer');
    assert.equal(granted.expires_in, 3600);
    assert.equal(granted.scope, 'accounts:read');
    const before = await openid.tokenIntrospection(bank, granted.access_token);
    assert.equal(before.active, true);
    assert.equal(before.client_id, client.client_id);
    await openid.tokenRevocation(mine, granted.access_token);
    assert.equal((await openid.tokenIntrospection(bank, granted.access_token)).active, false);
  });

  test('T-01: needs no more than the client_secret as metadata', async () => {
    const mine = await openid.discovery(issuer, client.client_id, client.client_secret, undefined, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
    assert.ok((await openid.clientCredentialsGrant(mine)).access_token);
  });

  test('T-44: a refusal reaches its caller with the reason, though it carries a challenge', async () => {
    const mine = await discover(client.client_id, openid.ClientSecretPost('wrong'));
    await assert.rejects(openid.clientCredentialsGrant(mine), (error: Error) => {
      assert.ok(error instanceof openid.WWWAuthenticateChallengeError, error.name);
      assert.equal(error.status, 401);
      assert.equal(error.cause[0]?.parameters.error, 'invalid_client');
      return true;
    });
  });

  test('T-32: with Basic it is told where the credentials belong', async () => {
    const mine = await discover(client.client_id, openid.ClientSecretBasic(client.client_secret));
    await assert.rejects(openid.clientCredentialsGrant(mine), (error: Error) => {
      assert.ok(error instanceof openid.WWWAuthenticateChallengeError, error.name);
      assert.match(error.cause[0]?.parameters.error_description ?? '', /form body/);
      return true;
    });
  });

  test('T-07: an error without a challenge is read from the body', async () => {
    const mine = await discover(client.client_id, openid.ClientSecretPost(client.client_secret));
    await assert.rejects(openid.clientCredentialsGrant(mine, { scope: 'x' }), (error: Error) => {
      assert.ok(error instanceof openid.ResponseBodyError, error.name);
      assert.equal(error.error, 'invalid_scope');
      return true;
    });
  });
});

describe('oauth4webapi, as its documentation shows it', () => {
  const insecure = { [oauth.allowInsecureRequests]: true };

  test('R-01, I-01, D-01: discovers, gets a token, has it introspected and revokes it', async () => {
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const mine: oauth.Client = { client_id: client.client_id };
    const bank: oauth.Client = { client_id: server.client_id };
    const post = oauth.ClientSecretPost(client.client_secret);
    const granted = await oauth.processClientCredentialsResponse(
      as,
      mine,
      await oauth.clientCredentialsGrantRequest(as, mine, post, new URLSearchParams(), insecure),
    );
    assert.equal(granted.token_type, 'bearer');
    assert.equal(granted.expires_in, 3600);
    const isActive = async (): Promise<boolean> => {
      const authentication = oauth.ClientSecretPost(server.client_secret);
      const token = granted.access_token;
      const reply = await oauth.introspectionRequest(as, bank, authentication, token, insecure);
      return (await oauth.processIntrospectionResponse(as, bank, reply)).active;
    };
    assert.equal(await isActive(), true);
    const revoked = await oauth.revocationRequest(as, mine, post, granted.access_token, insecure);
    assert.equal(await oauth.processRevocationResponse(revoked), undefined);
    assert.equal(await isActive(), false);
  });
});
