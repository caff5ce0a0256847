import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { post } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  declareResources,
  grantOf,
  introspect,
  newClient,
  newProgram,
} from './onboarding.ts';

const LEDGER = 'https://api.bank.example/ledger';
const CARDS = 'https://api.bank.example/cards';
const LOANS = 'https://api.bank.example/loans';

const authority = await startAuthority();
after(() => authority.stop());
await declareResources(authority, [LEDGER, CARDS, LOANS]);
const program = await newProgram(authority);
const [none, one, two] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program, { resources: [LEDGER] }),
  newClient(authority, program, { resources: [LEDGER, CARDS] }),
]);

async function audienceOf(client: typeof one, resource?: string): Promise<unknown> {
  const reply = await askToken(client, resource === undefined ? {} : { resource });
  assert.equal(reply.status, 200, reply.body);
  return (await introspect(client, String(reply.json()['access_token']))).json()['aud'];
}

test('A-01: a token asked for one resource is for that resource alone', async () => {
  assert.equal(await audienceOf(two, LEDGER), LEDGER);
  assert.equal(await audienceOf(two, CARDS), CARDS);
});

test('A-05: without resource a client that has one gets a token for it, and one that has none a token for the issuer', async () => {
  assert.equal(await audienceOf(one), LEDGER);
  assert.equal(await audienceOf(none), authority.issuer());
});

const refused: readonly (readonly [string, typeof one, string])[] = [
  ['A-02: a relative URI', one, '/ledger'],
  ['A-02: a URI with a fragment', one, `${LEDGER}#x`],
  ['A-02: a URI with an empty fragment', one, `${LEDGER}#`],
  ['A-02: no URI at all', one, 'ledger'],
  ['A-02: a URI without a host', one, 'https://'],
  ['A-02: a space in it', one, `${LEDGER} x`],
  ['A-02: a URI of six thousand characters', one, LEDGER.padEnd(6_000, 'a')],
  ['A-03: a resource that nobody declared', one, 'https://api.bank.example/other'],
  ['A-03: a declared one that is not the client’s', one, LOANS],
  ['A-03: any, for a client that has none', none, LEDGER],
  ['A-07: another case in the host', one, 'https://API.bank.example/ledger'],
  ['A-07: another case in the scheme', one, 'HTTPS://api.bank.example/ledger'],
  ['A-07: a trailing slash', one, `${LEDGER}/`],
  ['A-07: the default port', one, 'https://api.bank.example:443/ledger'],
  ['A-07: an escape of a plain letter', one, 'https://api.bank.example/%6cedger'],
  ['A-07: a path that goes up and down', one, 'https://api.bank.example/x/../ledger'],
  ['A-07: its beginning', one, LEDGER.slice(0, -1)],
];

for (const [name, client, resource] of refused) {
  test(`${name}: 400 invalid_target`, async () => {
    const reply = await askToken(client, { resource });
    assert.equal(reply.status, 400, reply.body);
    assert.equal(reply.json()['error'], 'invalid_target');
  });
}

test('A-05: a client that has several must say which', async () => {
  const reply = await askToken(two);
  assert.equal(reply.status, 400);
  assert.equal(reply.json()['error'], 'invalid_target');
});

test('A-04: resource may stand twice, and is then refused as a target, not as a repeat: a token is for one', async () => {
  for (const second of [CARDS, LEDGER]) {
    const body = new URLSearchParams([
      ...Object.entries(grantOf(two)),
      ['resource', LEDGER],
      ['resource', second],
    ]);
    const reply = await post(two.token_endpoint, body.toString());
    assert.equal(reply.status, 400);
    assert.equal(reply.json()['error'], 'invalid_target');
  }
});

test('A-05, T-28: an empty resource is a resource left out', async () => {
  assert.equal(await audienceOf(one, ''), LEDGER);
});

test('A-06: scopes and resources are granted apart: one that the client may not have is invalid_scope at any resource', async () => {
  const reply = await askToken(one, { resource: LEDGER, scope: 'payments' });
  assert.equal(reply.status, 400);
  assert.equal(reply.json()['error'], 'invalid_scope');
});
