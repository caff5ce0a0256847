import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasRepeatedMember } from './repeated-member.ts';

test('two members of one name are found, however deep and however spelled', () => {
  for (const json of [
    '{"a":1,"a":2}',
    '[{"b":{}},{"a":{"x":1,"y":[{"c":1 , "c" : 2}]}}]',
    '{"a":1,"\\u0061":2}',
    '{"":1,"":2}',
  ]) {
    assert.equal(hasRepeatedMember(json), true, json);
  }
});

test('values and members of other objects are no repetition', () => {
  for (const json of [
    '{"a":"a","b":"a\\":"}',
    '[{"a":1},{"a":1}]',
    '{"a":{"a":{"a":[]}}}',
    '"{"',
  ]) {
    assert.equal(hasRepeatedMember(json), false, json);
  }
});

test('what a serializer writes never repeats, and does once a member is put in twice', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, name) => {
      const json = JSON.stringify({ ...value, [name]: 1 });
      assert.equal(hasRepeatedMember(json), false);
      const twice = `{${JSON.stringify(name)}:0,${json.slice(1)}`;
      assert.equal(hasRepeatedMember(twice), true);
    }),
    { numRuns: 200 },
  );
});
