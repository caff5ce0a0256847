/** @countersign/resource-server on Fastify, Express, Hono and node:http, with one real authority. */

import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVerifier } from '@countersign/resource-server';
import { adapterContract, type World } from './contract/adapter-contract.ts';
import { ADAPTERS } from './test-kit/adapters.ts';
import { newClient, onboard, startAuthority, tokenOf } from './test-kit/authority.ts';
import { freePort } from './test-kit/gateway.ts';

const EXPIRY_MS_MAX = 60_000;

let world: World;

before(async () => {
  const authority = await startAuthority();
  const issuer = authority.issuer('sandbox');
  const [bank, programId] = await Promise.all([
    onboard(authority, 'Bank'),
    onboard(authority, 'Partner'),
  ]);
  const own = await newClient(authority, { programId: bank, flags: ['--resource-server'] });
  const partner = async (program: string, ...flags: string[]) => {
    const scope = ['--scope', 'accounts:read profiles:read'];
    const client = await newClient(authority, { programId: program, flags: [...scope, ...flags] });
    return { client, programId: program, token: await tokenOf(issuer, client) };
  };
  const [good, { client: held }, { token: revoked }, { token: expired }] = await Promise.all([
    partner(programId),
    partner(programId, '--allow-ip', '127.0.0.1'),
    partner(programId),
    partner(programId, '--token-lifetime', '1'),
  ]);
  await authority.operate('client', 'update', held.clientId, '--verify-ip', 'on');
  await authority.operate('token', 'revoke', revoked);
  const leaky = ADAPTERS.map(
    async ({ name }) => [name, await partner(await onboard(authority, name))] as const,
  );
  const options = { issuer, ...own, realm: 'bank', onOutage: () => {} };
  const asking = createVerifier(options);
  world = {
    ...{ authority, programId, asking, revoked, expired },
    token: good.token,
    clientId: good.client.clientId,
    held: await tokenOf(issuer, held),
    subscribed: createVerifier({ ...options, revocations: true }),
    lost: createVerifier({ ...options, issuer: `http://127.0.0.1:${await freePort()}/sandbox` }),
    leaky: new Map(await Promise.all(leaky)),
  };
  const deadline = performance.now() + EXPIRY_MS_MAX;
  const shown = { authorization: [`Bearer ${expired}`], query: '' };
  while ((await asking.check(shown)).ok && performance.now() < deadline) await sleep(100);
});
after(async () => {
  world?.subscribed.close();
  await world?.authority.stop();
});

for (const adapter of ADAPTERS) adapterContract(adapter, () => world);
