import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Form, parseForm } from './form.ts';
import { bearerInQuery, credentialInQuery, queryNames, refuseQuery } from './query.ts';
import { isRefusal } from './refusal.ts';

function form(text: string): Form {
  const parsed = parseForm(new TextEncoder().encode(text));
  assert.ok(!isRefusal(parsed));
  return parsed;
}

test('T-29: a secret in the URL refuses the request, however it is spelled', () => {
  for (const query of [
    'client_id=a&client_secret=b',
    'client_secret=b',
    'x=%zz&client%5Fsecret=b',
    'client_secret=&client_secret=b',
    'client_assertion=b',
    'client_secret=%ff',
  ]) {
    assert.deepEqual(refuseQuery(query), { reason: 'credentials-in-query' }, query);
  }
});

test('I-12: a token in the URL refuses the request', () => {
  for (const query of ['token=t', 'access_token=t', 'a=b&access%5ftoken=t']) {
    assert.deepEqual(refuseQuery(query), { reason: 'token-in-query' }, query);
  }
});

test('T-30: other parameters in the URL alone are ignored', () => {
  const body = form('client_id=a');
  for (const query of [
    '',
    'grant_type=client_credentials',
    'foo=bar',
    'client_secret=',
    '&=&',
    '%',
  ]) {
    assert.equal(refuseQuery(query, body), undefined, query);
  }
});

test('T-31: the same parameter in the URL and in the form is refused, not chosen from', () => {
  const body = form('client_id=a&client_secret=b&scope=&evil=1');
  for (const parameter of ['client_id', 'scope'] as const) {
    const refused = { reason: 'parameter-in-query-and-body', parameter };
    assert.deepEqual(refuseQuery(`${parameter}=a`, body), refused);
  }
  const unknown = refuseQuery('evil=1', body);
  assert.equal(unknown?.reason, 'parameter-in-query-and-body');
  assert.ok(!JSON.stringify(unknown).includes('evil'));
});

test('the exposed credential is handed out, so that it can be flagged', () => {
  assert.deepEqual(credentialInQuery('client_id=a&client_secret=b%2Bc'), {
    clientId: 'a',
    secret: 'b+c',
    token: undefined,
  });
  assert.deepEqual(credentialInQuery('token=t&x'), {
    clientId: undefined,
    secret: undefined,
    token: 't',
  });
  assert.equal(credentialInQuery('client_id=a'), undefined);
  assert.equal(credentialInQuery(''), undefined);
});

test('B-09: an access token in the URL of an API call is seen, and a parameter named token is not one', () => {
  assert.equal(bearerInQuery('a=b&access_token=t'), 't');
  assert.equal(bearerInQuery('token=page-2'), undefined);
  assert.equal(bearerInQuery('access_token='), undefined);
  assert.equal(bearerInQuery(''), undefined);
});

test('names of a query are decoded', () => {
  assert.deepEqual([...queryNames('a=1&%62&a=2&__proto__=x')], ['a', 'b', '__proto__']);
});

test('whatever the query, reading it never throws, and a secret in it is never missed', () => {
  const piece = fc.stringMatching(/^(%[0-9a-fA-Fg]{0,2}|[a-z+=&;#\0\u00ff\ud800]){0,20}$/);
  fc.assert(
    fc.property(piece, piece, (before, after) => {
      const query = `${before}&client_secret=s${after}`;
      assert.equal(refuseQuery(query)?.reason, 'credentials-in-query');
      assert.ok(credentialInQuery(query)?.secret);
      bearerInQuery(before);
    }),
  );
});
