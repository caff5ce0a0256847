/** Real libraries that are left at Basic, their default: refused until it is switched on, then served. */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { startAuthority } from './harness.ts';
import { type Client, newClient, newProgram } from './onboarding.ts';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const client = await newClient(authority, program);
const server = await newClient(authority, program, { isResourceServer: true });
const issuer = new URL(authority.issuer());
const run = promisify(execFile);

/** requests-oauthlib as its documentation shows it; nothing says where credentials belong, so they go into the header. */
const PYTHON = `
import os
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
session = OAuth2Session(client=BackendApplicationClient(client_id=os.environ["CLIENT_ID"]))
token = session.fetch_token(os.environ["TOKEN_URL"], client_id=os.environ["CLIENT_ID"],
                            client_secret=os.environ["CLIENT_SECRET"])
print(token["token_type"], token["expires_in"], len(token["access_token"]) > 40)
`;

/** A Python that has the library; Debian's may stand behind another on the path. */
const python = ['python3', '/usr/bin/python3'].find(
  (one) => spawnSync(one, ['-c', 'import requests_oauthlib'], { stdio: 'ignore' }).status === 0,
);
const missing = 'apt-get install python3-requests-oauthlib';

const askByPython = (of: Client) =>
  run(python ?? 'python3', ['-c', PYTHON], {
    env: {
      PATH: process.env['PATH'] ?? '',
      CLIENT_ID: of.client_id,
      CLIENT_SECRET: of.client_secret,
      TOKEN_URL: of.token_endpoint,
      // An authority on this machine is asked over plain HTTP, by the client's own leave.
      OAUTHLIB_INSECURE_TRANSPORT: '1',
    },
  });

const discover = (of: Client): Promise<openid.Configuration> =>
  openid.discovery(issuer, of.client_id, undefined, openid.ClientSecretBasic(of.client_secret), {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });

const skip = python === undefined && !process.env['CI'] ? missing : false;

describe('while Basic is off', () => {
  test('T-32: openid-client is told where the credentials belong', async () => {
    await assert.rejects(openid.clientCredentialsGrant(await discover(client)), {
      name: 'WWWAuthenticateChallengeError',
    });
  });

  test('T-32: requests-oauthlib fails, and says why', { skip }, async () => {
    assert.notEqual(python, undefined, missing);
    await assert.rejects(askByPython(client), (error: { readonly stderr?: string }) => {
      assert.match(error.stderr ?? '', /invalid_client.*form body/);
      assert.ok(!error.stderr?.includes(client.client_secret));
      return true;
    });
  });
});

describe('once Basic is on', () => {
  before(() => authority.cli('policy', 'set', 'basic-authentication', 'on'));

  test('T-32: openid-client gets a token, has it introspected and revokes it', async () => {
    const [mine, bank] = await Promise.all([discover(client), discover(server)]);
    const { access_token: token } = await openid.clientCredentialsGrant(mine);
    assert.equal((await openid.tokenIntrospection(bank, token)).active, true);
    await openid.tokenRevocation(mine, token);
    assert.equal((await openid.tokenIntrospection(bank, token)).active, false);
  });

  test('T-32: oauth4webapi gets a token, and is told the same of a wrong secret as ever', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const mine: oauth.Client = { client_id: client.client_id };
    const ask = async (secret: string) => {
      const way = oauth.ClientSecretBasic(secret);
      const none = new URLSearchParams();
      const reply = await oauth.clientCredentialsGrantRequest(as, mine, way, none, insecure);
      return await oauth.processClientCredentialsResponse(as, mine, reply);
    };
    assert.equal((await ask(client.client_secret)).expires_in, 3600);
    await assert.rejects(ask('wrong'), { name: 'WWWAuthenticateChallengeError', status: 401 });
  });

  test('T-32: requests-oauthlib gets a token by its defaults', { skip }, async () => {
    assert.notEqual(python, undefined, missing);
    assert.equal((await askByPython(client)).stdout.trim(), 'Bearer 3600 True');
  });
});
