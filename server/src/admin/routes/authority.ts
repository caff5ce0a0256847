/** The rows about the authority itself: its nodes, what they have acknowledged, its keys, policies and refusals. */

import { explainRequest } from '../../operations/explain-request.ts';
import { listKeys } from '../../operations/list-keys.ts';
import { listNodes } from '../../operations/list-nodes.ts';
import { listPolicies, setPolicy } from '../../operations/policies.ts';
import { readReceipt } from '../../operations/read-receipt.ts';
import { retireKey, retireLeakedKey } from '../../operations/retire-key.ts';
import { rotateKey } from '../../operations/rotate-key.ts';
import { ChangeRefused } from '../../ports/store.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, type Result, row, shown, wholeList } from '../route.ts';
import * as schema from '../schemas.ts';

const key = {
  environment: schema.environment,
  purpose: schema.purpose,
  version: Type.Integer({ minimum: 1, maximum: 65_535 }),
};

const POLICY_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/policies',
    operation: 'policy.list',
    permission: 'policy:read',
    summary: 'List what the installation has decided for every door.',
    response: schema.page(schema.record({ name: Type.String(), value: Type.String() })),
    run: async ({ context }) => wholeList(await listPolicies(context)),
  }),
  row({
    method: 'PUT',
    path: '/policies/{name}',
    operation: 'policy.set',
    permission: 'policy:set',
    summary: 'Set a policy.',
    params: { name: schema.text('Name of the policy.', 64) },
    body: schema.strict({
      value: schema.text('What it is to be.', 64),
      reason: Type.Optional(schema.reason),
      break_glass: Type.Optional(schema.breakGlass),
    }),
    response: schema.change({
      name: Type.String(),
      value: Type.String(),
      approval_id: Type.Optional(Type.String()),
    }),
    run: async ({ context, path, body }) => {
      const { value, reason, break_glass: breakGlass } = body;
      const { approval, ...done } = await setPolicy(context, {
        ...{ ...path, value, reason, breakGlass },
      });
      const members = { name: done.name, value: done.value, approvalId: approval?.approvalId };
      return { ...changed(done, members), isAsked: approval !== undefined } as Result;
    },
  }),
];

const KEY_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/keys',
    operation: 'key.list',
    permission: 'key:read',
    summary: 'List the root keys and what still needs each of them. No key is ever shown.',
    response: schema.page(schema.record({ ...key, state: Type.String() })),
    run: async ({ context }) => wholeList(await listKeys(context)),
  }),
  row({
    method: 'POST',
    path: '/keys/rotate',
    operation: 'key.rotate',
    permission: 'key:change',
    summary: 'Add the next version of a key; nothing that is alive is touched.',
    body: schema.strict({ environment: schema.environment, purpose: schema.purpose }),
    response: schema.change(key),
    creates: true,
    run: async ({ context, body }) => {
      const { environment, purpose, version, ...done } = await rotateKey(context, body);
      return changed(done, { environment, purpose, version });
    },
  }),
  row({
    method: 'POST',
    path: '/keys/retire',
    operation: 'key.retire',
    permission: 'key:change',
    summary: 'End a key that nothing needs.',
    body: schema.strict(key),
    response: schema.change(key),
    run: async ({ context, body }) => changed(await retireKey(context, body), body),
  }),
  row({
    method: 'POST',
    path: '/keys/retire-leaked',
    operation: 'key.retire-leaked',
    permission: 'key:change',
    summary: 'End every token key of an environment, and with them every token, as one has leaked.',
    body: schema.strict({
      environment: schema.environment,
      version: key.version,
      reason: schema.reason,
    }),
    response: schema.change({ environment: schema.environment, version: key.version }),
    run: async ({ context, body }) => {
      const done = await retireLeakedKey(context, body);
      const { environment, version } = body;
      const newVersion = done.changed ? done.version : undefined;
      return changed(done, { environment, version, newVersion });
    },
  }),
];

export const AUTHORITY_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/receipts/{sequence}',
    operation: 'receipt.show',
    permission: 'receipt:read',
    summary: 'Show who has acknowledged a change; 202 while somebody is waited for.',
    about: 'own',
    params: { sequence: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) },
    response: schema.receipt,
    run: async ({ context, path, program }) => {
      const sequence = Number(path.sequence);
      if (program !== undefined) await requireOwnChange(context, sequence);
      return { is: 'receipt', receipt: await readReceipt(context, { sequence }) };
    },
  }),
  row({
    method: 'GET',
    path: '/nodes',
    operation: 'node.list',
    permission: 'node:read',
    summary: 'List the server processes and how far each follows the change log.',
    response: schema.page(schema.record({ node: Type.String(), state: Type.String() })),
    run: async ({ context }) => wholeList(await listNodes(context)),
  }),
  row({
    method: 'GET',
    path: '/doctor',
    operation: 'doctor',
    permission: 'node:read',
    summary: 'Check the set-up of the node that answers, and say how to mend what is wrong.',
    response: schema.record({
      ok: Type.Boolean(),
      checks: Type.Array(
        schema.record({ name: Type.String(), ok: Type.Boolean(), detail: Type.String() }),
      ),
    }),
    run: async ({ diagnose }) => {
      const checks = await diagnose();
      return shown({ ok: checks.every(({ ok }) => ok), checks });
    },
  }),
  row({
    method: 'GET',
    path: '/requests/{request_id}',
    operation: 'request.explain',
    permission: 'request:explain',
    summary: 'Tell why a request was refused, by its X-Request-Id.',
    params: { request_id: schema.text('As the answer carried it.', 100) },
    response: schema.record({ request_id: Type.String(), reason: Type.String() }),
    run: async ({ context, path }) =>
      shown(await explainRequest(context, { requestId: path.request_id })),
  }),
  ...POLICY_ROUTES,
  ...KEY_ROUTES,
];

/** Whoever is bound to a program sees the receipts of what it did itself. */
async function requireOwnChange(
  { audit, actor }: { audit: Parameters<AdminRoute['run']>[0]['context']['audit']; actor: string },
  sequence: number,
): Promise<void> {
  const lines = await audit.lines({ change: sequence, limit: 10 });
  if (lines.some((line) => line.actor === actor && line.action !== 'receipt')) return;
  throw new ChangeRefused('not-found', `there is no change ${sequence} of yours`);
}
