import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv } from './csv.ts';

test('L-12: no cell is a formula, none breaks its row, and names come back as they were', () => {
  assert.equal(
    csv(
      ['a', 'b'],
      [
        ['=1+1', '@SUM(A1)'],
        ['say "x", y', 'two\r\nlines'],
        ['-Yd7_k1Cf4rGK8be', '-2+3'],
        ['2001:db8::1', ''],
      ],
    ),
    'a,b\r\n' +
      "'=1+1,'@SUM(A1)\r\n" +
      '"say ""x"", y","two\r\nlines"\r\n' +
      "-Yd7_k1Cf4rGK8be,'-2+3\r\n" +
      '2001:db8::1,\r\n',
  );
});
