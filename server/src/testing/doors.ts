/**
 * What an operator can do by either door, once as a command and once as a request, on what was made for it: data for the test that
 * holds the two against each other. An operation that is not here, and is no exception with a reason, fails that test.
 */

import { commitAndAwait, type OperationContext } from '../operations/context.ts';
import { createOperator } from '../operations/operators.ts';
import { setPolicy } from '../operations/policies.ts';
import { reactivateProgram } from '../operations/reactivate-program.ts';
import { rotateKey } from '../operations/rotate-key.ts';
import { suspendProgram } from '../operations/suspend-program.ts';
import { createWebhook } from '../operations/webhooks.ts';
import { CLIENT_CASES } from './client-doors.ts';
import { CREDENTIAL_CASES } from './credential-doors.ts';
import { type DoorCase, type Given, REASON, RECEIPT } from './door-case.ts';
import { onboard } from './onboarding.ts';

/** What only one door has, and why. */
export const ONE_DOOR: Readonly<Record<string, string>> = {
  serve: 'is the server',
  migrate:
    'is done while servers of the version before may still run, and before the new one listens',
  backup: 'writes a file of the machine, of the whole store',
  restore: 'makes a store out of a file, where no server runs yet',
  'store copy': 'makes a store out of another one, where no server runs',
  'store recover': 'is for a store that lost commits, and needs the servers stopped',
  'keys rewrap': 'needs the master key, which no request carries',
  'checkpoint.list': 'pages what the export of the command line holds in one file',
};

/** A reactivation that waits for somebody. */
async function pendingApproval({ context, programId }: Given): Promise<string> {
  await setPolicy(context, { name: 'reactivation-approvals', value: '1' });
  await suspendProgram(context, { programId, reason: REASON });
  const { approval } = await reactivateProgram(context, { programId });
  await context.changes.commit({
    change: { kind: 'policy.set', name: 'reactivation-approvals', value: '0', breakGlass: 'test' },
    actor: context.actor,
    atMs: context.clock.wallMs(),
  });
  if (approval === undefined) throw new Error('nothing was asked for');
  return approval.approvalId;
}

const PROGRAMS: readonly DoorCase[] = [
  {
    command: 'program create',
    operation: 'program.create',
    leaves: ['program.create', RECEIPT],
    ways: () => ({
      argv: ['Acme'],
      request: 'POST /programs',
      body: { name: 'Acme' },
    }),
  },
  {
    command: 'program list',
    operation: 'program.list',
    ways: () => ({ argv: [], request: 'GET /programs' }),
  },
  {
    command: 'program show',
    operation: 'program.show',
    ways: ({ programId }) => ({ argv: [programId], request: `GET /programs/${programId}` }),
  },
  {
    command: 'program suspend',
    operation: 'program.suspend',
    leaves: ['program.suspend', RECEIPT],
    ways: ({ programId }) => ({
      argv: [programId, '--reason', REASON, '--until', '2h'],
      request: `POST /programs/${programId}/suspend`,
      body: { reason: REASON, until: '2h' },
    }),
  },
  {
    command: 'program reactivate',
    operation: 'program.reactivate',
    leaves: ['program.reactivate', RECEIPT],
    ways: async ({ context, programId }) => {
      await suspendProgram(context, { programId, reason: REASON });
      return {
        argv: [programId],
        request: `POST /programs/${programId}/reactivate`,
      };
    },
  },
];

const DECLARATIONS: readonly DoorCase[] = [
  {
    command: 'scope create',
    operation: 'scope.create',
    leaves: ['scope.create', RECEIPT],
    ways: () => ({
      argv: ['accounts:read', '--environment', 'sandbox'],
      request: 'POST /scopes',
      body: { name: 'accounts:read', environment: 'sandbox' },
    }),
  },
  {
    command: 'scope list',
    operation: 'scope.list',
    ways: () => ({ argv: [], request: 'GET /scopes' }),
  },
  {
    command: 'resource create',
    operation: 'resource.create',
    leaves: ['resource.create', RECEIPT],
    ways: () => ({
      argv: ['https://api.bank.example', '--environment', 'sandbox'],
      request: 'POST /resources',
      body: { uri: 'https://api.bank.example', environment: 'sandbox' },
    }),
  },
  {
    command: 'resource list',
    operation: 'resource.list',
    ways: () => ({ argv: [], request: 'GET /resources' }),
  },
];

const AUDIT: readonly DoorCase[] = [
  {
    command: 'audit list',
    operation: 'audit.list',
    ways: () => ({ argv: [], request: 'GET /audit' }),
  },
  {
    command: 'audit verify',
    operation: 'audit.verify',
    ways: () => ({ argv: [], request: 'GET /audit/verification' }),
  },
  {
    command: 'audit checkpoint',
    operation: 'audit.checkpoint',
    ways: () => ({ argv: [], request: 'POST /audit/checkpoints' }),
  },
  {
    command: 'audit export',
    operation: 'audit.export',
    leaves: ['audit.export'],
    ways: ({ file }) => ({
      argv: ['--out', file, '--after', '2'],
      request: 'GET /audit/export?after=2',
    }),
  },
  {
    command: 'webhook create',
    operation: 'webhook.create',
    leaves: ['webhook.create', RECEIPT],
    ways: ({ hook, programId }) => ({
      argv: [hook, '--for', 'notices', '--program', programId],
      request: 'POST /webhooks',
      body: { target: hook, sends: 'notices', program_id: programId },
    }),
  },
  {
    command: 'webhook list',
    operation: 'webhook.list',
    ways: () => ({ argv: [], request: 'GET /webhooks' }),
  },
  {
    command: 'webhook show',
    operation: 'webhook.show',
    ways: async ({ context, hook }) => {
      const { webhookId } = await createWebhook(context, { target: hook, sends: 'notices' });
      return { argv: [webhookId], request: `GET /webhooks/${webhookId}` };
    },
  },
  {
    command: 'webhook test',
    operation: 'webhook.test',
    leaves: ['webhook.test'],
    ways: async ({ context, hook }) => {
      const { webhookId } = await createWebhook(context, { target: hook, sends: 'notices' });
      return { argv: [webhookId], request: `POST /webhooks/${webhookId}/test` };
    },
  },
  {
    command: 'webhook resume',
    operation: 'webhook.resume',
    leaves: ['webhook.resume', RECEIPT],
    ways: async ({ context, hook }) => {
      const { webhookId } = await createWebhook(context, { target: hook, sends: 'notices' });
      const change = { kind: 'webhook.disable', webhookId, reason: REASON } as const;
      await commitAndAwait(context, change);
      return { argv: [webhookId], request: `POST /webhooks/${webhookId}/resume` };
    },
  },
  {
    command: 'webhook delete',
    operation: 'webhook.delete',
    leaves: ['webhook.delete', RECEIPT],
    ways: async ({ context, hook }) => {
      const { webhookId } = await createWebhook(context, { target: hook, sends: 'notices' });
      return { argv: [webhookId], request: `DELETE /webhooks/${webhookId}` };
    },
  },
];

const AUTHORITY: readonly DoorCase[] = [
  {
    command: 'receipt',
    operation: 'receipt.show',
    ways: async ({ context, programId }) => {
      const { receipt } = await suspendProgram(context, { programId, reason: REASON });
      return { argv: [String(receipt.sequence)], request: `GET /receipts/${receipt.sequence}` };
    },
  },
  { command: 'nodes', operation: 'node.list', ways: () => ({ argv: [], request: 'GET /nodes' }) },
  {
    command: 'doctor',
    operation: 'doctor',
    mayComplain: true,
    ways: () => ({ argv: [], request: 'GET /doctor' }),
  },
  { command: 'keys list', operation: 'key.list', ways: () => ({ argv: [], request: 'GET /keys' }) },
  {
    command: 'keys rotate',
    operation: 'key.rotate',
    leaves: ['key.rotate', RECEIPT],
    ways: () => ({
      argv: ['--environment', 'sandbox', '--purpose', 'secret'],
      request: 'POST /keys/rotate',
      body: { environment: 'sandbox', purpose: 'secret' },
    }),
  },
  {
    command: 'keys retire',
    operation: 'key.retire',
    leaves: ['key.retire', RECEIPT],
    ways: async ({ context }) => {
      const of = { environment: 'production', purpose: 'secret' } as const;
      const { version } = await rotateKey(context, of);
      await rotateKey(context, of);
      return {
        argv: ['--environment', 'production', '--purpose', 'secret', '--version', String(version)],
        request: 'POST /keys/retire',
        body: { ...of, version },
      };
    },
  },
  {
    command: 'keys retire',
    operation: 'key.retire-leaked',
    leaves: ['key.retire-all', RECEIPT],
    ways: () => ({
      argv: [
        ...['--environment', 'production', '--version', '1', '--emergency'],
        ...['--reason', 'seen in a dump'],
      ],
      request: 'POST /keys/retire-leaked',
      body: { environment: 'production', version: 1, reason: 'seen in a dump' },
    }),
  },
  {
    command: 'policy list',
    operation: 'policy.list',
    ways: () => ({ argv: [], request: 'GET /policies' }),
  },
  {
    command: 'policy set',
    operation: 'policy.set',
    leaves: ['policy.set', RECEIPT],
    ways: () => ({
      argv: ['token-in-url', 'report'],
      request: 'PUT /policies/token-in-url',
      body: { value: 'report' },
    }),
  },
  {
    command: 'approval list',
    operation: 'approval.list',
    ways: () => ({ argv: [], request: 'GET /approvals' }),
  },
  {
    command: 'approval grant',
    operation: 'approval.grant',
    leaves: ['program.reactivate', 'approval.grant', RECEIPT],
    ways: async (given) => {
      const id = await pendingApproval(given);
      return { argv: [id], request: `POST /approvals/${id}/grant` };
    },
  },
  {
    command: 'approval refuse',
    operation: 'approval.refuse',
    leaves: ['approval.refuse', RECEIPT],
    ways: async (given) => {
      const id = await pendingApproval(given);
      return {
        argv: [id, '--reason', 'not cleaned up yet'],
        request: `POST /approvals/${id}/refuse`,
        body: { reason: 'not cleaned up yet' },
      };
    },
  },
  {
    command: 'operator create',
    operation: 'operator.create',
    leaves: ['operator.create', RECEIPT],
    ways: ({ programId }) => ({
      argv: ['Portal', '--role', 'partner', '--program', programId],
      request: 'POST /operators',
      body: { name: 'Portal', role: 'partner', program_id: programId },
    }),
  },
  {
    command: 'operator list',
    operation: 'operator.list',
    ways: () => ({ argv: [], request: 'GET /operators' }),
  },
  {
    command: 'operator remove',
    operation: 'operator.remove',
    leaves: ['operator.remove', RECEIPT],
    ways: async ({ context }) => {
      const { clientId } = await createOperator(context, { name: 'Leaver', role: 'auditor' });
      return { argv: [clientId], request: `DELETE /operators/${clientId}` };
    },
  },
];

export const DOOR_CASES: readonly DoorCase[] = [
  ...PROGRAMS,
  ...CLIENT_CASES,
  ...CREDENTIAL_CASES,
  ...DECLARATIONS,
  ...AUDIT,
  ...AUTHORITY,
];

/** A program with a client for one case. */
export async function givenFor(
  context: OperationContext,
  at: Pick<Given, 'url' | 'hook' | 'file'>,
): Promise<Given> {
  return { ...at, context, ...(await onboard(context)) };
}
