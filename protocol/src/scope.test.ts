import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRefusal } from './refusal.ts';
import {
  canonicalScope,
  grantScope,
  parseScope,
  SCOPE_LENGTH_MAX,
  SCOPE_NAMES_MAX,
  type ScopeGrant,
  validScopeName,
} from './scope.ts';

const name = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,8}$/);
const names = fc.array(name, { maxLength: 12 });

function granted(requested: readonly string[] | undefined, allowed: readonly string[]): ScopeGrant {
  const grant = grantScope(requested, allowed);
  assert.ok(!isRefusal(grant));
  return grant;
}

test('a scope is read into its names', () => {
  assert.deepEqual(parseScope('accounts:read'), ['accounts:read']);
  assert.deepEqual(parseScope("b a b !#[]~'"), ['b', 'a', 'b', "!#[]~'"]);
});

test('T-08: whatever the grammar lacks refuses the scope', () => {
  for (const text of [
    '',
    ' ',
    ' a',
    'a ',
    'a  b',
    'a\tb',
    'a\n',
    'a"',
    'a\\',
    '\x7f',
    'ä',
    'a\u00a0b',
  ]) {
    assert.deepEqual(parseScope(text), { reason: 'scope-malformed' }, JSON.stringify(text));
  }
});

test('scopes at the bounds are read, and refused beyond', () => {
  assert.ok(!isRefusal(parseScope('a'.repeat(SCOPE_LENGTH_MAX))));
  assert.ok(isRefusal(parseScope('a'.repeat(SCOPE_LENGTH_MAX + 1))));
  assert.ok(!isRefusal(parseScope(Array(SCOPE_NAMES_MAX).fill('a').join(' '))));
  assert.ok(
    isRefusal(
      parseScope(
        Array(SCOPE_NAMES_MAX + 1)
          .fill('a')
          .join(' '),
      ),
    ),
  );
});

test('a name is one scope-token', () => {
  assert.ok(validScopeName('accounts:read'));
  for (const text of ['', 'a b', 'a"', 'ä', 'a'.repeat(SCOPE_LENGTH_MAX + 1)]) {
    assert.ok(!validScopeName(text));
  }
});

test('T-05: who asks for no scope is granted all that is allowed, even if that is none', () => {
  assert.deepEqual(granted(undefined, ['b', 'a']), { names: ['a', 'b'], canonical: 'a b' });
  assert.deepEqual(granted(undefined, []), { names: [], canonical: '' });
});

test('T-06, T-09: a subset is granted as asked, in canonical order, without repeats', () => {
  const allowed = ['a', 'b', 'c'];
  assert.deepEqual(granted(['c', 'a', 'c'], allowed), { names: ['a', 'c'], canonical: 'a c' });
  assert.deepEqual(granted(['a', 'c'], allowed), granted(['c', 'a'], allowed));
});

test('T-07, T-10: one name that is not allowed, or in another case, refuses the whole request', () => {
  for (const requested of [['a', 'x'], ['x'], ['A'], ['__proto__'], ['a b']]) {
    assert.deepEqual(grantScope(requested, ['a', 'b']), { reason: 'scope-not-allowed' });
  }
  assert.deepEqual(grantScope(['a'], []), { reason: 'scope-not-allowed' });
});

test('a canonical scope is the same however its names are ordered and repeated', () => {
  fc.assert(
    fc.property(names, fc.infiniteStream(fc.nat()), (list, dice) => {
      const shuffled = [...list, ...list]
        .map((each) => ({ each, at: dice.next().value ?? 0 }))
        .sort((one, other) => one.at - other.at)
        .map(({ each }) => each);
      assert.equal(canonicalScope(shuffled), canonicalScope(list));
    }),
  );
});

test('a canonical scope read again is itself', () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 12 }), (list) => {
      const canonical = canonicalScope(list);
      const parsed = parseScope(canonical);
      assert.ok(!isRefusal(parsed));
      assert.deepEqual(new Set(parsed), new Set(list));
      assert.equal(parsed.length, new Set(list).size);
      assert.equal(canonicalScope(parsed), canonical);
    }),
  );
});

test('a grant is always a subset of what is allowed, and exactly what was asked for', () => {
  fc.assert(
    fc.property(fc.option(names, { nil: undefined }), names, (requested, allowed) => {
      const grant = grantScope(requested, allowed);
      const isSubset = (requested ?? []).every((each) => allowed.includes(each));
      assert.equal(isRefusal(grant), !isSubset);
      if (isRefusal(grant)) return;
      assert.deepEqual(new Set(grant.names), new Set(requested ?? allowed));
      assert.equal(grant.canonical, canonicalScope(grant.names));
      assert.deepEqual(granted(grant.names, allowed), grant);
    }),
  );
});

test('whatever the text, reading a scope never throws and never repairs', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const parsed = parseScope(text);
      if (!isRefusal(parsed)) assert.equal(parsed.join(' '), text);
    }),
  );
});
