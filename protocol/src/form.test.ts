import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FORM_PARAMETERS_MAX, type Form, parseForm } from './form.ts';
import { isRefusal, type Refusal } from './refusal.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function form(text: string): Form {
  const parsed = parseForm(bytes(text));
  assert.ok(!isRefusal(parsed), `refused: ${text.slice(0, 80)}`);
  return parsed;
}

function refusal(body: string | Uint8Array): Refusal {
  const parsed = parseForm(typeof body === 'string' ? bytes(body) : body);
  assert.ok(isRefusal(parsed), 'accepted');
  return parsed;
}

test('a plain form gives its values by name', () => {
  const parsed = form('client_id=abc&client_secret=xyz&grant_type=client_credentials');
  assert.equal(parsed.get('client_id'), 'abc');
  assert.equal(parsed.get('client_secret'), 'xyz');
  assert.equal(parsed.get('grant_type'), 'client_credentials');
  assert.equal(parsed.get('scope'), undefined);
  assert.deepEqual(parsed.all('scope'), []);
});

test('T-48: an encoded secret arrives as it was meant', () => {
  assert.equal(form('client_secret=a+b%2Bc%26d%3De%25').get('client_secret'), 'a b+c&d=e%');
  assert.equal(form('client%5Fid=a').get('client_id'), 'a');
  assert.equal(form('a=b=c').get('a'), 'b=c');
  assert.equal(form('a=%F0%9F%94%91').get('a'), '\u{1F511}');
  assert.equal(form('a=%EF%BB%BFb').get('a'), '\uFEFFb');
});

test('T-49: what is not UTF-8 is refused, never replaced', () => {
  for (const value of [
    '%',
    '%4',
    '%zz',
    '%c0%af',
    '%e0%80%af',
    '%ed%a0%80',
    '%ff',
    '%f4%90%80%80',
  ]) {
    assert.equal(refusal(`client_id=${value}`).reason, 'malformed-form', value);
    assert.equal(refusal(`${value}=a`).reason, 'malformed-form', value);
  }
});

test('T-50: a NUL is refused in any name and any value', () => {
  for (const body of ['client_id=a%00b', 'a%00=b', '%00', 'x=%00&client_id=a']) {
    assert.equal(refusal(body).reason, 'malformed-form', body);
  }
});

test('bytes other than printable ASCII are refused', () => {
  for (let byte = 0; byte < 256; byte++) {
    const body = Uint8Array.of(0x61, 0x3d, byte);
    const isPrintable = byte >= 0x21 && byte <= 0x7e;
    // The percent sign alone is no escape.
    const isAccepted = isPrintable && byte !== 0x25;
    assert.equal(isRefusal(parseForm(body)), !isAccepted, `byte ${byte}`);
  }
  assert.equal(refusal(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).reason, 'malformed-form');
  assert.equal(refusal('client_id=ä').reason, 'malformed-form');
});

test('T-23, T-24: a repeated parameter is refused, the same value or not, empty or not', () => {
  for (const name of ['client_id', 'client_secret', 'grant_type', 'scope', 'client_assertion']) {
    for (const [first, second] of [
      ['a', 'a'],
      ['a', 'b'],
      ['', 'a'],
      ['a', ''],
    ]) {
      const refused = refusal(`${name}=${first}&x=1&${name}=${second}`);
      assert.deepEqual(refused, { reason: 'repeated-parameter', parameter: name });
    }
  }
  assert.equal(refusal('client_id=a&client%5fid=b').reason, 'repeated-parameter');
  assert.equal(refusal('client_id&client_id').reason, 'repeated-parameter');
});

test('T-25: a repeated unknown parameter is refused and its name never repeated', () => {
  const refused = refusal('evil=1&evil=2');
  assert.equal(refused.reason, 'repeated-parameter');
  assert.ok(!JSON.stringify(refused).includes('evil'));
});

test('T-26, T-27: names with a meaning in JavaScript or PHP are ordinary names', () => {
  const parsed = form(
    '__proto__=x&constructor=y&toString=z&scope%5B%5D=a&scope[a]=b&client_id[]=c',
  );
  assert.equal(parsed.get('__proto__'), 'x');
  assert.equal(parsed.get('constructor'), 'y');
  assert.equal(parsed.get('scope[]'), 'a');
  assert.equal(parsed.get('scope'), undefined);
  assert.equal(parsed.get('client_id'), undefined);
  assert.equal(form('a=b').get('__proto__'), undefined);
  assert.equal(form('a=b').get('hasOwnProperty'), undefined);
  assert.equal(refusal('__proto__=x&__proto__=x').reason, 'repeated-parameter');
});

test('T-28: an empty value counts as absent', () => {
  const parsed = form('scope=&client_id&grant_type=a');
  assert.equal(parsed.get('scope'), undefined);
  assert.equal(parsed.get('client_id'), undefined);
  assert.ok(parsed.has('scope'));
  assert.ok(parsed.has('client_id'));
  assert.ok(!parsed.has('client_secret'));
});

test('A-04: resource, and no other parameter, may stand several times', () => {
  const parsed = form('resource=&resource=urn:a&resource=urn:b&resource=');
  assert.deepEqual(parsed.all('resource'), ['urn:a', 'urn:b']);
  assert.equal(parsed.get('resource'), 'urn:a');
  assert.deepEqual(form('resource=urn:a').all('resource'), ['urn:a']);
  assert.deepEqual(form('resource=').all('resource'), []);
});

test('T-51: a semicolon separates nothing', () => {
  const parsed = form('client_id=a;client_secret=b');
  assert.equal(parsed.get('client_id'), 'a;client_secret=b');
  assert.equal(parsed.get('client_secret'), undefined);
});

test('empty pairs and empty names are passed over', () => {
  const parsed = form('&&client_id=a&&=x&=y&');
  assert.equal(parsed.get('client_id'), 'a');
  assert.equal(parsed.get(''), undefined);
  assert.equal(form('').get('client_id'), undefined);
  assert.equal(form(`${'&'.repeat(1000)}client_id=a`).get('client_id'), 'a');
});

test('T-53: parameters beyond the bound are refused', () => {
  const parameters = (count: number) =>
    Array.from({ length: count }, (_, i) => `p${i}=1`).join('&');
  assert.equal(form(parameters(FORM_PARAMETERS_MAX)).get('p63'), '1');
  assert.equal(refusal(parameters(FORM_PARAMETERS_MAX + 1)).reason, 'too-many-parameters');
  assert.equal(refusal(parameters(100_000)).reason, 'too-many-parameters');
});

test('whatever the bytes, parsing never throws', () => {
  const awkward = fc.constantFrom(0x00, 0x25, 0x26, 0x2b, 0x3d, 0x30, 0x46, 0x7f, 0xc0, 0xff);
  const anyByte = fc.oneof(fc.integer({ min: 0, max: 255 }), awkward);
  fc.assert(
    fc.property(fc.array(anyByte, { maxLength: 300 }), (body) => {
      const parsed = parseForm(Uint8Array.from(body));
      assert.ok(isRefusal(parsed) || typeof parsed.get === 'function');
    }),
    { numRuns: 2000 },
  );
});

test('malformed escapes of any kind are refused or mean what decodeURIComponent says', () => {
  const piece = fc.stringMatching(/^(%[0-9a-fA-Fg]{0,2}|[a-z+]){0,12}$/);
  fc.assert(
    fc.property(piece, (value) => {
      const parsed = parseForm(bytes(`a=${value}`));
      if (!isRefusal(parsed)) {
        assert.equal(parsed.get('a') ?? '', decodeURIComponent(value.replaceAll('+', ' ')));
      }
    }),
  );
});

test('a well-formed form means what URLSearchParams says', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const value = fc.string({ unit: 'grapheme', maxLength: 30 });
  const noNul = (text: string) => !text.includes('\0');
  const entries = fc.uniqueArray(fc.tuple(name.filter(noNul), value.filter(noNul)), {
    selector: ([each]) => each.toWellFormed(),
    maxLength: FORM_PARAMETERS_MAX,
  });
  fc.assert(
    fc.property(entries, (pairs) => {
      const reference = new URLSearchParams(pairs.map(([each, text]) => [each, text]));
      const parsed = form(reference.toString());
      for (const [each, text] of reference) assert.equal(parsed.get(each) ?? '', text);
    }),
  );
});
