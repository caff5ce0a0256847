/** The partner's side with @countersign/client: a real authority, a real API, and what happens to callers when access changes. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createClient, TokenError } from '@countersign/client';
import { newClient, onboard } from './test-kit/authority.ts';
import { type Bank, openBank } from './test-kit/bank.ts';

const CALLERS = 50;

let bank: Bank;
before(async () => {
  bank = await openBank();
});
after(() => bank.stop());

async function newPartner() {
  const programId = await onboard(bank.authority, 'Partner');
  const credentials = await newClient(bank.authority, { programId });
  const client = createClient({
    ...credentials,
    issuer: bank.issuer,
    // The authority of the tests believes that it has another name, so its metadata would mislead.
    tokenEndpoint: `${bank.issuer}/token`,
    api: bank.api.url,
  });
  const call = () => client.fetch(`${bank.api.url}/v1/accounts`);
  return { programId, credentials, client, call };
}

const together = <T>(call: () => Promise<T>) =>
  Promise.allSettled(Array.from({ length: CALLERS }, call));

test('fifty callers share one token, whose one issuance is on record', async () => {
  const { credentials, call } = await newPartner();
  const results = await together(call);
  for (const result of results) {
    assert.equal(result.status === 'fulfilled' ? result.value.status : result.reason, 200);
  }
  const issued = await bank.authority.operate('token', 'list', '--client', credentials.clientId);
  assert.equal((issued as unknown as readonly unknown[]).length, 1);
});

test('a revoked token is replaced within the call that finds out', async () => {
  const { client, call } = await newPartner();
  const token = await client.accessToken();
  await bank.authority.operate('token', 'revoke', token.reveal());
  assert.equal((await call()).status, 200);
  assert.notEqual((await client.accessToken()).reveal(), token.reveal());
});

test('once a program is suspended all its callers stop, and go on once it is reactivated', async () => {
  const { programId, call } = await newPartner();
  assert.equal((await call()).status, 200);
  await bank.authority.operate('program', 'suspend', programId, '--reason', 'leaked');
  for (const result of await together(call)) {
    assert.ok(result.status === 'rejected' && result.reason instanceof TokenError);
    assert.equal(result.reason.code, 'credentials-refused');
    assert.notEqual(result.reason.requestId, undefined, 'what to tell support');
  }
  await bank.authority.operate('program', 'reactivate', programId);
  for (;;) {
    const answer = await call().catch((error: TokenError) => error);
    if (answer instanceof Response) {
      assert.equal(answer.status, 200);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});

test('a secret is rotated under a running partner without a failed call', async () => {
  const { credentials } = await newPartner();
  const file = join(bank.authority.folder, 'partner-secret');
  await writeFile(file, credentials.clientSecret);
  const client = createClient({
    clientId: credentials.clientId,
    clientSecret: { file },
    issuer: bank.issuer,
    tokenEndpoint: `${bank.issuer}/token`,
    api: bank.api.url,
  });
  const call = async () => {
    // Each with a token of its own, so that each call needs a secret that works.
    await bank.authority.operate('token', 'revoke', (await client.accessToken()).reveal());
    assert.equal((await client.fetch(`${bank.api.url}/v1/accounts`)).status, 200);
  };
  await call();
  const { operate } = bank.authority;
  const rotated = await operate('secret', 'rotate', credentials.clientId, '--overlap', '1h');
  await call();
  await writeFile(file, String(rotated['client_secret']));
  await call();
  const [old] = (await operate(
    'secret',
    'list',
    credentials.clientId,
  )) as unknown as readonly Readonly<Record<string, unknown>>[];
  await operate('secret', 'revoke', String(old?.['secret_id']));
  await call();
});
