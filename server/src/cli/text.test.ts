import assert from 'node:assert/strict';
import test from 'node:test';
import { Secret } from '../credentials/secret-value.ts';
import { documentOf } from './document.ts';
import { changeOutput, secretOutput } from './outputs.ts';
import { list, pairs, receiptText, table, timeText } from './text.ts';

const receipt = {
  sequence: 12,
  confirmed: [],
  fenced: [],
  left: [],
  waiting: [],
  complete: true,
};

test('a table has even columns and no space at the end of a line', () => {
  assert.equal(
    table([
      ['A', 'BB'],
      ['longer', 'x'],
      ['y', ''],
    ]),
    'A       BB\nlonger  x\ny\n',
  );
  assert.equal(list(['A'], [], 'None.'), 'None.\n');
  assert.equal(
    pairs([
      ['a', '1'],
      ['absent', undefined],
      ['bcd', '2'],
    ]),
    'a:    1\nbcd:  2\n',
  );
});

test('a receipt in words says who confirmed, who was written off and who is missing', () => {
  assert.equal(
    receiptText(receipt),
    'No node is running; one that starts later begins with this change. Receipt 12.',
  );
  const confirmed = [
    { node: 'a', ms: 1.2 },
    { node: 'b', ms: 2.4 },
  ];
  assert.equal(receiptText({ ...receipt, confirmed }), 'Confirmed by 2 nodes in 3 ms. Receipt 12.');
  const followed = [...confirmed, { node: 'subscribers:a', ms: 2.9 }];
  assert.equal(
    receiptText({ ...receipt, confirmed: followed }),
    'Confirmed by 2 nodes and the subscribers of 1 node in 3 ms. Receipt 12.',
  );
  const mixed = {
    ...receipt,
    confirmed: [{ node: 'a', ms: 1 }],
    fenced: [{ node: 'b', ms: 90 }],
    waiting: ['c'],
    complete: false,
  };
  assert.equal(
    receiptText(mixed),
    'Confirmed by 1 node in 1 ms; 1 node written off, which can decide no more; still waiting for c. Receipt 12.',
  );
});

test('a change that is not acknowledged by all is no success', () => {
  const waiting = { ...receipt, waiting: ['node-1'], complete: false };
  const done = changeOutput({ receipt: waiting, changed: true }, { members: {}, words: 'Done.' });
  assert.match(done.complaint ?? '', /node-1.*countersign receipt 12/);
  const well = changeOutput({ receipt, changed: true }, { members: {}, words: 'Done.' });
  assert.equal(well.complaint, undefined);
});

test('members are snake_case, moments are ISO texts, absent and internal ones are left out', () => {
  const value = {
    clientId: 'c',
    ordinal: 7,
    generation: 3,
    expiresAtMs: Date.UTC(2027, 0, 31),
    revokedAtMs: undefined,
    tokenLifetimeSeconds: 60,
    nested: [{ allowIp: ['10.0.0.0/8'] }],
  };
  assert.deepEqual(documentOf(value), {
    client_id: 'c',
    expires_at: '2027-01-31T00:00:00.000Z',
    token_lifetime_seconds: 60,
    nested: [{ allow_ip: ['10.0.0.0/8'] }],
  });
});

test('a moment that no calendar holds is shown as its number', () => {
  assert.equal(timeText(Date.UTC(2027, 0, 31)), '2027-01-31T00:00:00Z');
  assert.deepEqual(documentOf({ atMs: 9e15, endAtMs: 9e15 }), {
    at_ms: 9e15,
    end_at: '9000000000000000',
  });
});

test('a secret is in the text once and in the document once, and nowhere by accident', () => {
  const made = { receipt, changed: true, clientSecret: new Secret('secret_test_x') };
  const { document, text } = secretOutput(made, { members: {}, words: 'Created.', entries: [] });
  assert.equal(text.split('secret_test_x').length, 2);
  assert.match(text, /cannot be shown again/);
  assert.equal(JSON.stringify(document).split('secret_test_x').length, 2);
  assert.ok(!JSON.stringify(documentOf(made)).includes('secret_test_x'));
});
