import assert from 'node:assert/strict';
import test from 'node:test';
import { ChangeRefused } from '../ports/store.ts';
import { requireAddressBlocks } from './address-blocks.ts';
import {
  parseWhole,
  requireClientId,
  requireName,
  requireResources,
  requireScopeNames,
  requireTokenLifetime,
} from './input.ts';
import { parseDuration, parseTime } from './time-input.ts';

const NOW_MS = Date.UTC(2027, 0, 15, 10, 0, 0);

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ChangeRefused);
    assert.equal(error.code, 'invalid');
    return error.message;
  }
  return assert.fail('was not refused');
}

test('a time is a moment with its zone, a day in UTC, or a duration from now', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['2027-01-31T12:00:00Z', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:00Z', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:00:00.250+02:00', '2027-01-31T10:00:00.250Z'],
    ['2027-01-31T00:30:00-05:30', '2027-01-31T06:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['90d', '2027-04-15T10:00:00.000Z'],
    ['24h', '2027-01-16T10:00:00.000Z'],
    ['30m', '2027-01-15T10:30:00.000Z'],
    ['45s', '2027-01-15T10:00:45.000Z'],
  ];
  for (const [text, expected] of cases) {
    assert.equal(new Date(parseTime('--expires', text, NOW_MS)).toISOString(), expected, text);
  }
});

test('a time without a zone, of no calendar or of no unit is refused, naming the parameter', () => {
  const texts = [
    '',
    'tomorrow',
    '2027-01-31T12:00:00',
    '2027-02-30',
    '2027-02-30T12:00:00Z',
    '2027-13-01',
    '2027-01-31T24:00:00Z',
    '2027-01-31T12:60Z',
    '2027-1-31',
    '90',
    '-5d',
    '1.5h',
    '5w',
    '24H',
    '99999d',
    '999999999d',
    ' 24h',
  ];
  for (const text of texts) {
    assert.match(
      refusal(() => parseTime('--expires', text, NOW_MS)),
      /^--expires must/,
      text,
    );
  }
});

test('a duration may be nothing at all, and never more than ten years', () => {
  assert.equal(parseDuration('--overlap', '0s'), 0);
  assert.equal(parseDuration('--overlap', '7d'), 604_800_000);
  for (const text of ['', '0', '7', '3654d', '1e3s', 'h']) {
    assert.match(
      refusal(() => parseDuration('--overlap', text)),
      /^--overlap must/,
    );
  }
});

test('an address block is kept in one spelling, and a bare address means itself alone', () => {
  assert.deepEqual(
    requireAddressBlocks([
      '192.0.2.7',
      '10.0.0.0/8',
      '2001:DB8:0:0::1',
      '2001:db8::/32',
      '::1/128',
    ]),
    ['192.0.2.7/32', '10.0.0.0/8', '2001:db8::1/128', '2001:db8::/32', '::1/128'],
  );
  assert.deepEqual(requireAddressBlocks(['::1', '::1/128']), ['::1/128']);
});

test('what is no address block is refused rather than read as something wider', () => {
  const blocks = [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '010.0.0.1',
    '10.0.0.0/ 8',
    '::1/129',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    'localhost',
  ];
  for (const block of blocks) {
    assert.match(
      refusal(() => requireAddressBlocks([block])),
      /^--allow-ip must/,
      block,
    );
  }
  const many = Array.from({ length: 65 }, (_, index) => `10.0.0.${index}`);
  assert.match(
    refusal(() => requireAddressBlocks(many)),
    /64 times at most/,
  );
});

test('a secret or a token given as an id is refused without being repeated', () => {
  const secret = `secret_test_${'s'.repeat(49)}`;
  const token = `token_test_${'t'.repeat(90)}`;
  for (const text of [secret, token, '', 'client id', 'client\u0000', '-x']) {
    const message = refusal(() => requireClientId(text));
    assert.match(message, /CLIENT_ID has not the form of one/);
    if (text !== '') assert.ok(!message.includes(text));
  }
  assert.equal(requireClientId('client_test_abcdefgh12345678'), 'client_test_abcdefgh12345678');
});

test('a name is one line of printable text', () => {
  assert.equal(requireName('NAME', '  Zoë & Söhne  '), 'Zoë & Söhne');
  for (const name of ['', '   ', 'a\nb', 'a\u001b[31m', 'a\u202eb', 'a\u2028b', 'x'.repeat(201)]) {
    assert.match(
      refusal(() => requireName('NAME', name)),
      /^NAME /,
    );
  }
});

test('scopes are kept sorted and without repeats, and must have the grammar of one', () => {
  assert.deepEqual(requireScopeNames(['b', 'a', 'b']), ['a', 'b']);
  assert.deepEqual(requireScopeNames([]), []);
  for (const name of ['', 'a b', 'a"', 'é']) {
    assert.match(
      refusal(() => requireScopeNames([name])),
      /^--scope must/,
    );
  }
});

test('a resource is an absolute URI without a fragment', () => {
  const uri = 'https://api.bank.example';
  assert.deepEqual(requireResources([uri, uri]), [uri]);
  for (const bad of ['api', '/accounts', `${uri}#x`, '']) {
    assert.match(
      refusal(() => requireResources([bad])),
      /^--resource must/,
    );
  }
});

test('a token lives between a second and a day', () => {
  for (const seconds of [1, 3600, 86_400]) assert.equal(requireTokenLifetime(seconds), seconds);
  for (const seconds of [0, -1, 1.5, 86_401, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.match(
      refusal(() => requireTokenLifetime(seconds)),
      /^--token-lifetime must/,
    );
  }
});

test('a number typed with anything but digits is no number', () => {
  const range = { min: 1, max: 100 };
  assert.equal(parseWhole('N', '42', range), 42);
  for (const text of ['', '0', '101', '4.2', '0x10', '1e1', ' 4', '-4', '٤']) {
    assert.match(
      refusal(() => parseWhole('N', text, range)),
      /^N must/,
    );
  }
});
