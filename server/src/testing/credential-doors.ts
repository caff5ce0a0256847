/** The cases of secrets, claims and tokens. */

import { claimSecret } from '../operations/create-claim.ts';
import { createSecret } from '../operations/create-secret.ts';
import { type DoorCase, type Given, RECEIPT } from './door-case.ts';
import { requestToken } from './onboarding.ts';

const tokenOf = async (given: Given): Promise<string> => {
  const token = await requestToken(given.url, given);
  if (token === undefined) throw new Error('no token was granted');
  return token;
};

const CREDENTIALS: readonly DoorCase[] = [
  {
    command: 'secret create',
    operation: 'secret.create',
    leaves: ['secret.create', RECEIPT],
    ways: ({ clientId }) => ({
      argv: [clientId, '--name', 'blue', '--expires', '90d'],
      request: `POST /clients/${clientId}/secrets`,
      body: { name: 'blue', expires_at: '90d' },
    }),
  },
  {
    command: 'secret list',
    operation: 'secret.list',
    ways: ({ clientId }) => ({ argv: [clientId], request: `GET /clients/${clientId}/secrets` }),
  },
  {
    command: 'secret rotate',
    operation: 'secret.rotate',
    leaves: ['secret.rotate', RECEIPT],
    ways: ({ clientId }) => ({
      argv: [clientId, '--overlap', '2h'],
      request: `POST /clients/${clientId}/secrets/rotate`,
      body: { overlap: '2h' },
    }),
  },
  {
    command: 'secret expire',
    operation: 'secret.expire',
    leaves: ['secret.expire', RECEIPT],
    ways: ({ secretId }) => ({
      argv: [secretId, '--at', '48h'],
      request: `POST /secrets/${secretId}/expire`,
      body: { at: '48h' },
    }),
  },
  {
    command: 'secret revoke',
    operation: 'secret.revoke',
    leaves: ['secret.revoke', RECEIPT],
    ways: async ({ context, clientId, secretId }) => {
      await createSecret(context, { clientId });
      return {
        argv: [secretId, '--kill-tokens'],
        request: `POST /secrets/${secretId}/revoke`,
        body: { kill_tokens: true },
      };
    },
  },
  {
    command: 'token list',
    operation: 'token.list',
    ways: ({ clientId }) => ({
      argv: ['--client', clientId],
      request: `GET /clients/${clientId}/tokens`,
    }),
  },
  {
    command: 'token inspect',
    operation: 'token.inspect',
    ways: async (given) => {
      const token = await tokenOf(given);
      return { argv: [token], request: 'POST /tokens/inspect', body: { token } };
    },
  },
  {
    command: 'token revoke',
    operation: 'token.revoke',
    leaves: ['token.revoke', RECEIPT],
    ways: async (given) => {
      const token = await tokenOf(given);
      return { argv: [token], request: 'POST /tokens/revoke', body: { token } };
    },
  },
  {
    command: 'explain',
    operation: 'request.explain',
    ways: async ({ url }) => {
      const refused = await fetch(`${url}/sandbox/token`, { method: 'POST' });
      const id = refused.headers.get('x-request-id') ?? '';
      return { argv: [id], request: `GET /requests/${id}` };
    },
  },
];

const claimFor = async ({ context, clientId }: Given): Promise<string> =>
  (await claimSecret(context, { clientId, claim: {} })).claimId;

const CLAIMS: readonly DoorCase[] = [
  {
    command: 'client create',
    operation: 'client.create',
    leaves: ['client.create', RECEIPT],
    ways: ({ programId }) => ({
      argv: ['--program', programId, '--environment', 'sandbox', '--name', 'claimed', '--claim'],
      request: 'POST /clients',
      body: { program_id: programId, environment: 'sandbox', name: 'claimed', claim: {} },
    }),
  },
  {
    command: 'secret create',
    operation: 'secret.create',
    leaves: ['claim.create', RECEIPT],
    ways: ({ clientId }) => ({
      argv: [clientId, '--claim', '--claim-expires', '24h', '--no-passphrase'],
      request: `POST /clients/${clientId}/secrets`,
      body: { claim: { expires_at: '24h', passphrase: false } },
    }),
  },
  {
    command: 'secret rotate',
    operation: 'secret.rotate',
    leaves: ['claim.create', RECEIPT],
    ways: ({ clientId }) => ({
      argv: [clientId, '--claim', '--overlap', '2h'],
      request: `POST /clients/${clientId}/secrets/rotate`,
      body: { claim: {}, overlap: '2h' },
    }),
  },
  {
    command: 'claim list',
    operation: 'claim.list',
    ways: async (given) => {
      await claimFor(given);
      const { clientId } = given;
      return { argv: ['--client', clientId], request: `GET /clients/${clientId}/claims` };
    },
  },
  {
    command: 'claim show',
    operation: 'claim.show',
    ways: async (given) => {
      const claimId = await claimFor(given);
      return { argv: [claimId], request: `GET /clients/${given.clientId}/claims/${claimId}` };
    },
  },
  {
    command: 'claim revoke',
    operation: 'claim.revoke',
    leaves: ['claim.revoke', RECEIPT],
    ways: async (given) => {
      const claimId = await claimFor(given);
      return {
        argv: [claimId],
        request: `POST /clients/${given.clientId}/claims/${claimId}/revoke`,
      };
    },
  },
];

export const CREDENTIAL_CASES: readonly DoorCase[] = [...CREDENTIALS, ...CLAIMS];
