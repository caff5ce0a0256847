import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswerRules } from './answer-rules.ts';
import { replyOf } from './reply.ts';

const good = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Strict-Transport-Security', 'max-age=31536000'],
  ['Content-Type', 'application/json'],
] as const;

const without = (name: string): readonly string[] => good.filter(([each]) => each !== name).flat();
const withLine = (name: string, value: string): readonly string[] => [...good.flat(), name, value];

function judge(status: number, headers: readonly string[], body: string): void {
  assertAnswerRules(replyOf(status, headers, body), { isHead: false });
}

const error = '{"error":"invalid_request","error_description":"No."}';

test('T-40 to T-47: an answer that keeps the rules passes', () => {
  judge(200, good.flat(), '{"active":false}');
  judge(400, good.flat(), error);
});

const bad: readonly (readonly [string, number, readonly string[], string])[] = [
  ['T-40: a Server header', 200, withLine('Server', 'x/1'), '{}'],
  ['T-40: X-Powered-By', 200, withLine('X-Powered-By', 'x'), '{}'],
  ['T-40: a stack trace', 400, good.flat(), error.replace('No.', 'at f (a.ts:1)')],
  ['T-40: SQL', 400, good.flat(), error.replace('No.', 'SELECT a FROM b')],
  [
    'T-40: an unhandled failure',
    500,
    good.flat(),
    '{"error":"server_error","error_description":"No."}',
  ],
  ['T-41: a quote in the words', 400, good.flat(), error.replace('No.', '\\"')],
  ['T-41: a line break in the words', 400, good.flat(), error.replace('No.', '\\n')],
  ['T-41: another member', 400, good.flat(), error.replace('}', ',"stack":1}')],
  ['T-42: a code of no standard', 400, good.flat(), error.replace('invalid_request', 'oops')],
  ['T-43: an error that may be cached', 400, without('Cache-Control'), error],
  ['T-44: a 401 without a challenge', 401, good.flat(), error],
  ['T-37: a 405 that does not say what is allowed', 405, good.flat(), error],
  ['T-64: a 429 that does not say when', 429, good.flat(), error],
  ['T-70: a 503 that does not say when', 503, good.flat(), error],
  ['T-47: no nosniff', 200, without('X-Content-Type-Options'), '{}'],
  ['T-47: no HSTS', 200, without('Strict-Transport-Security'), '{}'],
  [
    'T-47: an origin that nobody configured',
    200,
    withLine('Access-Control-Allow-Origin', '*'),
    '{}',
  ],
  ['I-26: another Content-Type', 200, without('Content-Type'), '{}'],
];

for (const [name, status, headers, body] of bad) {
  test(`the check that every answer goes through would notice ${name}`, () => {
    assert.throws(() => judge(status, headers, body), assert.AssertionError);
  });
}
