/** What an operator can do with clients by either door. */

import { suspendClient } from '../operations/suspend-client.ts';
import { type DoorCase, REASON, RECEIPT } from './door-case.ts';

export const CLIENT_CASES: readonly DoorCase[] = [
  {
    command: 'client create',
    operation: 'client.create',
    leaves: ['client.create', RECEIPT],
    ways: ({ programId }) => ({
      argv: [
        ...['--program', programId, '--environment', 'sandbox', '--name', 'back end'],
        ...['--allow-ip', '192.0.2.0/24', '--token-lifetime', '900', '--expires', '90d'],
      ],
      request: 'POST /clients',
      body: {
        ...{ program_id: programId, environment: 'sandbox', name: 'back end' },
        ...{ allow_ip: ['192.0.2.0/24'], token_lifetime_seconds: 900, expires_at: '90d' },
      },
    }),
  },
  {
    command: 'client list',
    operation: 'client.list',
    ways: ({ programId }) => ({
      argv: ['--program', programId],
      request: `GET /clients?program_id=${programId}`,
    }),
  },
  {
    command: 'client show',
    operation: 'client.show',
    ways: ({ clientId }) => ({ argv: [clientId], request: `GET /clients/${clientId}` }),
  },
  {
    command: 'client update',
    operation: 'client.update',
    leaves: ['client.update', RECEIPT],
    ways: ({ clientId }) => ({
      argv: [clientId, '--name', 'two', '--allow-ip', '192.0.2.7', '--token-quota', '60'],
      request: `PATCH /clients/${clientId}`,
      body: {
        ...{ name: 'two', allow_ip: ['192.0.2.7'] },
        token_quota: { per_hour: 60, enforced: true },
      },
    }),
  },
  {
    command: 'client suspend',
    operation: 'client.suspend',
    leaves: ['client.suspend', RECEIPT],
    ways: ({ clientId }) => ({
      argv: [clientId, '--reason', REASON],
      request: `POST /clients/${clientId}/suspend`,
      body: { reason: REASON },
    }),
  },
  {
    command: 'client reactivate',
    operation: 'client.reactivate',
    leaves: ['client.reactivate', RECEIPT],
    ways: async ({ context, clientId }) => {
      await suspendClient(context, { clientId, reason: REASON });
      return { argv: [clientId], request: `POST /clients/${clientId}/reactivate` };
    },
  },
  {
    command: 'client suspend-many',
    operation: 'client.suspend-many',
    // A line for the change, and one for each client.
    leaves: ['client.suspend-many', 'client.suspend', RECEIPT],
    ways: ({ programId }) => ({
      argv: ['--where', `program=${programId}`, '--reason', REASON],
      request: 'POST /bulk/suspend-clients',
      body: { where: [`program=${programId}`], reason: REASON },
    }),
  },
  {
    command: 'client suspend-many',
    operation: 'client.suspend-many.preview',
    ways: ({ programId }) => ({
      argv: ['--where', `program=${programId}`, '--reason', REASON, '--dry-run'],
      request: 'POST /bulk/suspend-clients/preview',
      body: { where: [`program=${programId}`] },
    }),
  },
  {
    command: 'client dormant',
    operation: 'client.dormant',
    ways: () => ({ argv: ['--days', '90'], request: 'GET /dormant-clients?days=90' }),
  },
  {
    command: 'client report',
    operation: 'client.report',
    ways: ({ clientId }) => ({
      argv: [clientId, '--since', '1h'],
      request: `GET /clients/${clientId}/report?since=1h`,
    }),
  },
  {
    command: 'client delete',
    operation: 'client.delete',
    leaves: ['client.delete', RECEIPT],
    ways: ({ clientId }) => ({ argv: [clientId], request: `DELETE /clients/${clientId}` }),
  },
];
