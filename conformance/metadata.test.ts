import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post, send } from './exchange.ts';
import { type Authority, type Environment, startAuthority } from './harness.ts';
import { askToken, credentialsOf, declareScopes, newClient, newProgram } from './onboarding.ts';
import { rawExchange, rawRequest } from './raw-connection.ts';

const PUBLIC_URL = 'https://auth.bank.example';

const [authority, behindProxy] = await Promise.all([
  startAuthority(),
  startAuthority({
    options: ['--public-url', PUBLIC_URL, '--trusted-proxy', '127.0.0.1'],
  }),
]);
after(() => Promise.all([authority.stop(), behindProxy.stop()]));
await declareScopes(authority, ['payments', 'accounts:read']);

const forwarded = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.7' };

/** The two places of a document: the one of RFC 8414 and the one where many clients look. */
function places(of: Authority, environment: Environment): readonly string[] {
  const wellKnown = '/.well-known/oauth-authorization-server';
  return [`${of.origin}${wellKnown}/${environment}`, `${of.origin}/${environment}${wellKnown}`];
}

const [rfcPlace = '', otherPlace = ''] = places(authority, 'sandbox');
const document = (await send(rfcPlace)).json();

for (const environment of ['sandbox', 'production'] as const) {
  test(`D-01, D-02, D-03: ${environment}’s metadata stands in both places and names its issuer exactly`, async () => {
    for (const place of places(authority, environment)) {
      const reply = await send(place);
      assert.equal(reply.status, 200);
      assert.equal(reply.headers['content-type'], 'application/json');
      assert.equal(reply.json()['issuer'], authority.issuer(environment));
    }
  });
}

test('D-02: nothing stands where no issuer is', async () => {
  const wellKnown = `${authority.origin}/.well-known/oauth-authorization-server`;
  for (const place of [wellKnown, `${wellKnown}/staging`, `${rfcPlace}/`]) {
    assert.equal((await send(place)).status, 404, place);
  }
});

test('D-03, R-14: behind a TLS proxy every URL in the metadata is https, without query or fragment', async () => {
  for (const place of places(behindProxy, 'production')) {
    const described = (await send(place, { headers: forwarded })).json();
    assert.equal(described['issuer'], `${PUBLIC_URL}/production`);
    const urls = Object.entries(described).filter(([name]) => /endpoint$|^issuer$/.test(name));
    assert.equal(urls.length, 4);
    for (const [name, url] of urls) assert.match(String(url), /^https:\/\/[^?#]+$/, name);
  }
});

test('D-04: no header of a request changes the document', async () => {
  const forged = [
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 1',
    'X-Forwarded-Prefix: /evil',
    'X-Original-URL: /evil',
    'Forwarded: host=evil.example;proto=https',
  ];
  const { pathname } = new URL(rfcPlace);
  const [reply] = await rawExchange(
    authority.port,
    rawRequest(`GET ${pathname}`, ['Host: evil.example', 'Connection: close', ...forged]),
  );
  assert.deepEqual(reply?.json(), document);
});

test('D-05, D-07: the published endpoints work, with the published method', async () => {
  const client = await newClient(authority, await newProgram(authority));
  const url = (name: string): string => String(document[`${name}_endpoint`]);
  for (const name of ['token', 'introspection', 'revocation']) {
    assert.deepEqual(document[`${name}_endpoint_auth_methods_supported`], ['client_secret_post']);
  }
  assert.equal(client.token_endpoint, url('token'));
  const granted = await askToken(client);
  assert.equal(granted.status, 200);
  const fields = { ...credentialsOf(client), token: String(granted.json()['access_token']) };
  assert.equal((await post(url('introspection'), fields)).json()['active'], true);
  assert.equal((await post(url('revocation'), fields)).status, 200);
  assert.equal((await post(url('introspection'), fields)).json()['active'], false);
});

test('D-06: the one grant is published', () => {
  assert.deepEqual(document['grant_types_supported'], ['client_credentials']);
});

test('D-08: the published scopes are those that can be asked for', async () => {
  const published = document['scopes_supported'] as readonly string[];
  assert.deepEqual(published, ['accounts:read', 'payments']);
  const client = await newClient(authority, await newProgram(authority), {
    scope: published.join(' '),
  });
  for (const scope of published) {
    const reply = await askToken(client, { scope }, { from: freshAddress() });
    assert.equal(reply.json()['scope'], scope);
  }
});

test('D-09: an environment without scopes publishes no empty list', async () => {
  const [place = ''] = places(authority, 'production');
  const described = (await send(place)).json();
  assert.equal('scopes_supported' in described, false);
  for (const value of Object.values({ ...document, ...described })) {
    assert.notDeepEqual(value, []);
    assert.notEqual(value, null);
  }
});

test('D-10: nothing is published that is not there', () => {
  for (const name of [
    'authorization_endpoint',
    'registration_endpoint',
    'jwks_uri',
    'response_types_supported',
  ]) {
    assert.equal(name in document, false, name);
  }
});

test('D-14: the document may be kept for an hour at most, and its tag stays while it does', async () => {
  const first = await send(rfcPlace);
  const cache = first.headers['cache-control'] ?? '';
  const seconds = Number(/max-age=(\d+)/.exec(cache)?.[1]);
  assert.ok(seconds > 0 && seconds <= 3600, cache);
  assert.doesNotMatch(cache, /no-store/);
  assert.match(first.headers['etag'] ?? '', /^"[^"]+"$/);
  assert.equal((await send(otherPlace)).headers['etag'], first.headers['etag']);
  const [production = ''] = places(authority, 'production');
  assert.notEqual((await send(production)).headers['etag'], first.headers['etag']);
});

test('D-14: HEAD is GET without its body, and POST is refused', async () => {
  const [got, head] = [await send(rfcPlace), await send(rfcPlace, { method: 'HEAD' })];
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
  assert.equal(head.headers['content-length'], String(got.body.length));
  const posted = await post(rfcPlace, 'x=1');
  assert.equal(posted.status, 405);
  assert.equal(posted.headers['allow'], 'GET, HEAD');
});

type Rule = (value: unknown) => boolean;
const isUrl: Rule = (value) => typeof value === 'string' && URL.canParse(value);
const isEndpoint: Rule = (value) => isUrl(value) && !/[?#]/.test(String(value));
const isList: Rule = (value) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((each) => typeof each === 'string' && each !== '') &&
  new Set(value).size === value.length;
const isText: Rule = (value) => typeof value === 'string' && value !== '';

/** The metadata of RFC 8414 §2: what each member must be, and which must be there. */
const SCHEMA: Readonly<Record<string, readonly [Rule, 'required' | 'optional']>> = {
  issuer: [isEndpoint, 'required'],
  token_endpoint: [isEndpoint, 'required'],
  token_endpoint_auth_methods_supported: [isList, 'required'],
  introspection_endpoint: [isEndpoint, 'required'],
  introspection_endpoint_auth_methods_supported: [isList, 'required'],
  revocation_endpoint: [isEndpoint, 'required'],
  revocation_endpoint_auth_methods_supported: [isList, 'required'],
  grant_types_supported: [isList, 'required'],
  scopes_supported: [isList, 'optional'],
  service_documentation: [isUrl, 'optional'],
  op_policy_uri: [isUrl, 'optional'],
  op_tos_uri: [isUrl, 'optional'],
  signed_metadata: [isText, 'optional'],
};

function faultsOf(described: Readonly<Record<string, unknown>>): readonly string[] {
  const names = new Set([...Object.keys(SCHEMA), ...Object.keys(described)]);
  return [...names].filter((name) => {
    const [rule, presence] = SCHEMA[name] ?? [() => false, 'optional'];
    return name in described ? !rule(described[name]) : presence === 'required';
  });
}

test('D-15: the document has the form of RFC 8414, and the check would notice if it had not', () => {
  assert.deepEqual(faultsOf(document), []);
  const broken = { ...document, scopes_supported: [], issuer: 'x?y', surprise: 1 };
  assert.deepEqual([...faultsOf(broken)].sort(), ['issuer', 'scopes_supported', 'surprise']);
  const { token_endpoint: _gone, ...without } = document;
  assert.deepEqual(faultsOf(without), ['token_endpoint']);
});

test('T-59: a request that reached the proxy as plain HTTP is refused, not redirected, and so is one past the proxy', async () => {
  const url = `${behindProxy.origin}/sandbox/token`;
  const body = 'grant_type=client_credentials';
  const plain = await post(url, body, { headers: { ...forwarded, 'X-Forwarded-Proto': 'http' } });
  assert.equal(plain.status, 400);
  assert.match(plain.body, /HTTPS/);
  assert.equal(plain.headers['location'], undefined);
  const unsaid = await post(url, body, { headers: { 'X-Forwarded-For': '203.0.113.7' } });
  assert.equal(unsaid.status, 400);
  const secure = await post(url, body, { headers: forwarded });
  assert.match(secure.body, /client_id is missing/, 'through TLS it is read');
  const from = freshAddress();
  if (from === undefined) return;
  assert.equal((await post(url, body, { headers: forwarded, from })).status, 403);
});

test('T-59, R-14, R-16: no listener off loopback without TLS or a declared proxy', async () => {
  const { code, stderr } = await authority.command('serve', '--listen', '0.0.0.0:18080');
  assert.equal(code, 1);
  assert.match(stderr, /TLS|proxy/i);
});
