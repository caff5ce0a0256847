import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formMediaType } from './media-type.ts';
import { isRefusal } from './refusal.ts';

const FORM = 'application/x-www-form-urlencoded';

test('T-45: a form is known in any case and spacing, with UTF-8 named or not', () => {
  for (const accepted of [
    FORM,
    `${FORM}; charset=UTF-8`,
    `${FORM};charset=utf-8`,
    `${FORM} ;\t charset="Utf-8" `,
    'Application/X-WWW-Form-URLEncoded; Charset=UTF-8',
    `${FORM};`,
    `${FORM}; q=1; charset=utf-8`,
  ]) {
    assert.equal(formMediaType(accepted), 'form', accepted);
  }
});

test('T-38, T-39: any other media type is refused', () => {
  for (const refused of [
    undefined,
    '',
    'application/json',
    'multipart/form-data; boundary=x',
    'text/plain',
    `${FORM}x`,
    `x${FORM}`,
    `${FORM}, ${FORM}`,
    `${FORM}; charset`,
    `${FORM}; =utf-8`,
    `text/plain; ${FORM}`,
    `${FORM};${' '.repeat(300)}`,
  ]) {
    assert.deepEqual(formMediaType(refused), { reason: 'unsupported-media-type' }, `${refused}`);
  }
});

test('T-46: another charset, or charset twice, is refused and nothing transcoded', () => {
  for (const parameters of [
    'charset=ISO-8859-1',
    'charset=utf-7',
    'charset=utf-16',
    'charset=utf8',
    'charset=',
    "charset='utf-8'",
    'charset=utf-8; charset=utf-8',
    'charset=utf-8; Charset=iso-8859-1',
  ]) {
    const refused = { reason: 'unsupported-charset' };
    assert.deepEqual(formMediaType(`${FORM}; ${parameters}`), refused, parameters);
  }
});

test('whatever the header, reading it never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (tail) => {
      const answer = formMediaType(`${FORM}${tail}`);
      assert.ok(answer === 'form' || isRefusal(answer));
    }),
  );
});
