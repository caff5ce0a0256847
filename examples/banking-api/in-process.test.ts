/** @countersign/resource-server on an authority in this very process: the same verdicts as over HTTP, and the same adapters. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createVerifier, type Presented, type Verifier } from '@countersign/resource-server';
import { newGuard, requireIdentity } from '@countersign/resource-server/express';
import { type InProcessAuthority, openAuthority } from 'countersign/in-process';
import {
  type Authority,
  type Credentials,
  newClient,
  onboard,
  startAuthority,
  tokenOf,
} from './test-kit/authority.ts';

const [OURS, THEIRS] = ['https://api.bank.example', 'https://other.bank.example'];
/** A token that lives for a second is dead by then. */
const EXPIRED_MS = 2_000;

let authority: Authority;
let issuer: string;
let bank: Credentials;
let here: InProcessAuthority;

before(async () => {
  authority = await startAuthority();
  issuer = authority.issuer('sandbox');
  for (const uri of [OURS, THEIRS]) {
    await authority.operate('resource', 'create', uri, '--environment', 'sandbox');
  }
  const programId = await onboard(authority, 'Bank');
  bank = await newClient(authority, { programId, flags: ['--resource-server'] });
  here = await open();
});
after(async () => {
  await here?.close();
  await authority?.stop();
});

const open = () =>
  openAuthority({
    environment: 'sandbox',
    service: 'banking-api',
    settings: { COUNTERSIGN_DATA: join(authority.folder, 'authority') },
    log: { info: () => {}, warn: () => {}, error: (fields) => assert.fail(JSON.stringify(fields)) },
  });

/** A token of a new client. */
async function newToken(
  programId: string,
  flags: readonly string[] = [],
  update: readonly string[] = [],
): Promise<string> {
  const credentials = await newClient(authority, { programId, flags });
  if (update.length > 0) {
    await authority.operate('client', 'update', credentials.clientId, ...update);
  }
  return await tokenOf(issuer, credentials);
}

/** What a verifier says of a call, in words that both kinds share: they name different URLs as their issuer. */
async function told(verifier: Verifier, presented: Presented, scope?: string): Promise<unknown> {
  const verdict = await verifier.check(presented, scope === undefined ? {} : { scope });
  if (verdict.ok) return verdict.identity;
  const alike = JSON.stringify(verdict).replaceAll(issuer, 'ISSUER');
  return JSON.parse(alike.replaceAll(here.issuer, 'ISSUER'));
}

type Case = {
  readonly name: string;
  readonly expected: number;
  readonly presented: Presented;
  readonly scope?: string;
};

/** Every kind of call, with the status that it is answered. */
async function cases(): Promise<readonly Case[]> {
  const partner = await onboard(authority, 'Partner');
  const ours = ['--resource', OURS];
  const expired = await newToken(partner, [...ours, '--token-lifetime', '1']);
  const beganMs = performance.now();
  const scoped = await newToken(partner, [...ours, '--scope', 'accounts:read']);
  const elsewhere = await newToken(partner, ['--resource', THEIRS]);
  const revoked = await newToken(partner, ours);
  await authority.operate('token', 'revoke', revoked);
  const leaked = await onboard(authority, 'Leaked');
  const suspended = await newToken(leaked, ours);
  await authority.operate('program', 'suspend', leaked, '--reason', 'leaked');
  const held = ['--allow-ip', '127.0.0.1', ...ours];
  const bound = await newToken(partner, held, ['--verify-ip', 'on']);
  await setTimeout(Math.max(0, EXPIRED_MS - (performance.now() - beganMs)));
  const by = (token: string, more: Partial<Presented> = {}): Presented => ({
    ...{ authorization: [`Bearer ${token}`], query: '' },
    ...more,
  });
  const last = scoped.at(-1) === 'A' ? 'B' : 'A';
  return [
    { name: 'live', expected: 200, presented: by(scoped) },
    { name: 'with its scope', expected: 200, presented: by(scoped), scope: 'accounts:read' },
    { name: 'expired', expected: 401, presented: by(expired) },
    { name: 'without a scope', expected: 403, presented: by(scoped), scope: 'profiles:read' },
    { name: 'for another resource', expected: 401, presented: by(elsewhere) },
    { name: 'revoked', expected: 401, presented: by(revoked) },
    { name: 'suspended', expected: 401, presented: by(suspended) },
    { name: 'nonsense', expected: 401, presented: by('nonsense') },
    { name: 'altered', expected: 401, presented: by(`${scoped.slice(0, -1)}${last}`) },
    { name: 'none', expected: 401, presented: { authorization: [], query: '' } },
    {
      ...{ name: 'two', expected: 400 },
      presented: { authorization: [`Bearer ${scoped}`, `Bearer ${scoped}`], query: '' },
    },
    { name: 'in the URL', expected: 400, presented: by(scoped, { query: 'access_token=x' }) },
    { name: 'held, from home', expected: 200, presented: by(bound, { clientIp: '127.0.0.1' }) },
    {
      ...{ name: 'held, in IPv6 clothes', expected: 200 },
      presented: by(bound, { clientIp: '::ffff:127.0.0.1' }),
    },
    { name: 'held, from abroad', expected: 401, presented: by(bound, { clientIp: '127.0.0.2' }) },
    { name: 'held, from nowhere', expected: 401, presented: by(bound) },
    { name: 'held, from no address', expected: 503, presented: by(bound, { clientIp: 'home' }) },
  ];
}

test('each call gets the verdict that it gets by introspection over HTTP', async () => {
  const options = { resource: OURS, realm: 'bank', onOutage: () => {} };
  const inProcess = createVerifier({ authority: here, ...options });
  const overHttp = createVerifier({ issuer, ...bank, ...options });
  for (const { name, expected, presented, scope } of await cases()) {
    const verdict = await inProcess.check(presented, scope === undefined ? {} : { scope });
    assert.equal(verdict.ok ? 200 : verdict.wire.status, expected, name);
    assert.deepEqual(
      await told(inProcess, presented, scope),
      await told(overHttp, presented, scope),
      name,
    );
  }
});

test('a suspended program is refused by the first call after the receipt, which lists this process', async () => {
  const programId = await onboard(authority, 'Partner');
  const token = await newToken(programId);
  const { check } = createVerifier({ authority: here, onOutage: () => assert.fail('no outage') });
  const presented = { authorization: [`Bearer ${token}`], query: '' };
  assert.ok((await check(presented)).ok);
  const receipt = await authority.operate('program', 'suspend', programId, '--reason', 'leaked');
  assert.match(JSON.stringify(receipt), new RegExp(here.node));
  assert.equal((await check(presented)).ok, false);
});

test('middleware answers on it as on any verifier; once it is closed, calls are an outage and never refused tokens', async () => {
  const programId = await onboard(authority, 'Partner');
  const token = await newToken(programId, ['--scope', 'accounts:read']);
  const own = await open();
  const outages: unknown[] = [];
  const verifier = createVerifier({
    authority: own,
    onOutage: (outage) => outages.push(outage),
  });
  const middleware = newGuard(verifier, { scope: 'accounts:read' });
  const server = createServer((request, response) =>
    middleware(request, response, () => response.end(requireIdentity(request).programId)),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const call = (headers = {}) => fetch(url, { headers });
  try {
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await call(headers);
    assert.deepEqual([answer.status, await answer.text()], [200, programId]);
    assert.equal((await call()).status, 401);
    assert.deepEqual(outages, []);
    verifier.close();
    assert.equal((await call(headers)).status, 200, 'who opened the authority closes it');
    await own.close();
    const outage = await call(headers);
    assert.equal(outage.status, 503);
    assert.equal(outage.headers.get('WWW-Authenticate'), null);
    assert.equal(outages.length, 1);
    assert.ok(!JSON.stringify(outages).includes(token));
  } finally {
    server.closeAllConnections();
    server.close();
    await own.close();
  }
});
