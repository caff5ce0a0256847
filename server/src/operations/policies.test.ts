import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POLICIES, type Policy } from '../ports/policies.ts';
import { commandLine } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator } from '../testing/onboarding.ts';
import { listPolicies, setPolicy } from './policies.ts';
import { policyOf } from './policy-of.ts';

test('a policy holds its fallback until it is set, and then what it was set to, by whom and when', () =>
  asOperator(newDataDirectory(), async (context) => {
    assert.equal(await policyOf(context, 'leaked-secret'), 'flag');
    const { changed } = await setPolicy(context, { name: 'leaked-secret', value: 'revoke' });
    assert.equal(changed, true);
    assert.equal(await policyOf(context, 'leaked-secret'), 'revoke');
    const listed = await listPolicies(context);
    assert.deepEqual(
      listed.map(({ name }) => name),
      Object.keys(POLICIES),
    );
    const { setBy, isSet } = listed.find(({ name }) => name === 'leaked-secret') ?? {};
    assert.deepEqual({ setBy, isSet }, { setBy: 'test:operator', isSet: true });
    const [line] = await context.audit.lines({ action: 'policy.set', limit: 9 });
    assert.equal(line?.target, 'policy/leaked-secret');
    assert.deepEqual(line?.detail, { value: 'revoke' });
  }));

test('setting what is set returns the receipt of the earlier change, and writes nothing', () =>
  asOperator(newDataDirectory(), async (context) => {
    const input = { name: 'dormant-days', value: '45' };
    const first = await setPolicy(context, input);
    const again = await setPolicy(context, input);
    assert.equal(again.changed, false);
    assert.equal(again.receipt.sequence, first.receipt.sequence);
  }));

test('what is no policy or none of its values is refused, and the refusal says what there is', () =>
  asOperator(newDataDirectory(), async (context) => {
    const refused = (name: string, value: string, message: RegExp) =>
      assert.rejects(setPolicy(context, { name, value }), { name: 'ChangeRefused', message });
    await refused('moon-phase', 'full', /reactivation-approvals, secret-handover/);
    await refused('token-in-url', 'shout', /revoke, report/);
    await refused('dormant-days', '29', /30 to 3650, off/);
    await refused('dormant-days', '30.5', /30 to 3650, off/);
    await refused('toString', '1', /there is no policy/);
    for (const value of ['30', '3650', 'off']) {
      await setPolicy(context, { name: 'dormant-days', value });
    }
  }));

test('every fallback is a value that its policy may be set to', () => {
  for (const [name, { fallback, words, range }] of Object.entries(POLICIES) as [string, Policy][]) {
    const number = Number(fallback);
    const isInRange = range !== undefined && number >= range.min && number <= range.max;
    assert.ok(words.includes(fallback) || isInRange, name);
  }
});

test('policies are listed and set from the command line', async () => {
  const cli = commandLine(newDataDirectory());
  const set = await cli.json('policy', 'set', 'reactivation-approvals', '1');
  assert.deepEqual(
    [set['name'], set['value'], set['changed']],
    ['reactivation-approvals', '1', true],
  );
  const listed = (await cli.json('policy', 'list')) as unknown as Record<string, unknown>[];
  assert.equal(listed[0]?.['value'], '1');
  assert.match(
    (await cli(['policy', 'list'])).stdout,
    /reactivation-approvals +1 +0, 1 +\d{4}-.* by cli:ada@desk-4/,
  );
});
