/** The rows of clients. */

import { createClient, createClientWithClaim } from '../../operations/create-client.ts';
import { deleteClient } from '../../operations/delete-client.ts';
import { reactivateClient } from '../../operations/reactivate-client.ts';
import { listClients, showClient } from '../../operations/read-directory.ts';
import { reportClient } from '../../operations/report-client.ts';
import { suspendClient } from '../../operations/suspend-client.ts';
import { parseSince, parseTime } from '../../operations/time-input.ts';
import { updateClient } from '../../operations/update-client.ts';
import { claimMember, claimWanted, handedOver } from '../handover.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, madeClaim, madeSecret, pageOf, row, shown } from '../route.ts';
import * as schema from '../schemas.ts';
import {
  endApproval,
  openSuspensions,
  REACTIVATING,
  reactivated,
  reactivation,
  SUSPENDING,
  suspended,
  termsOf,
  untilOf,
} from '../suspending.ts';

const params = { client_id: schema.clientId };
const quota = schema.strict({
  per_hour: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  enforced: schema.flag('False: what would be refused is only reported.'),
});
const settings = {
  scope: Type.Optional(
    schema.list(schema.text('A declared scope.'), 'Scopes it may ask for.', 256),
  ),
  resources: Type.Optional(
    schema.list(schema.text('A declared URI.'), 'Resources that its tokens may be for.'),
  ),
  allow_ip: Type.Optional(
    schema.list(schema.text('CIDR', 64), 'Where it may ask for tokens from; empty: anywhere.'),
  ),
  token_lifetime_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
};
const client = schema.record({
  client_id: schema.clientId,
  program_id: schema.programId,
  environment: schema.environment,
  name: Type.String(),
  state: Type.String(),
  suspended_reason: Type.Optional(Type.String()),
  scope: Type.Array(Type.String()),
  resources: Type.Array(Type.String()),
  allow_ip: Type.Array(Type.String()),
  token_lifetime_seconds: Type.Integer(),
  resource_server: Type.Boolean(),
  created_at: schema.at,
});
const clientChange = schema.change({ client_id: schema.clientId });

export const CLIENT_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/clients',
    operation: 'client.list',
    permission: 'client:read',
    summary: 'List the clients in the order of their creation, deleted ones left out.',
    about: 'own',
    query: {
      program_id: Type.Optional(schema.programId),
      environment: Type.Optional(schema.environment),
      state: Type.Optional(schema.activity),
      name: Type.Optional(schema.nameContains),
    },
    response: schema.page(client),
    pages: true,
    run: async (call) => {
      const { context, query, page, program } = call;
      const found = await listClients(context, {
        ...page,
        programId: program ?? query.program_id,
        environment: query.environment,
        state: query.state,
        nameContains: query.name,
      });
      return pageOf(call, found);
    },
  }),
  row({
    method: 'POST',
    path: '/clients',
    operation: 'client.create',
    permission: 'client:create',
    summary: 'Give a program a client in one environment, with a claim of its first secret.',
    body: schema.strict({
      program_id: schema.programId,
      environment: schema.environment,
      name: schema.name,
      ...settings,
      resource_server: Type.Optional(schema.flag('It accepts tokens, so it may call /introspect.')),
      expires_at: Type.Optional(schema.moment),
      ...claimMember,
    }),
    response: schema.change({
      client_id: schema.clientId,
      program_id: schema.programId,
      environment: schema.environment,
      token_endpoint: Type.String(),
      secret_id: Type.Optional(schema.secretId),
      expires_at: Type.Optional(schema.at),
      ...handedOver,
    }),
    creates: true,
    run: async (call) => {
      const { context, body } = call;
      const { expires_at } = body;
      const input = {
        programId: body.program_id,
        environment: body.environment,
        name: body.name,
        ...settingsOf(body),
        resourceServer: body.resource_server ?? false,
        secretExpiresAtMs:
          expires_at === undefined
            ? undefined
            : parseTime('expires_at', expires_at, context.clock.wallMs()),
      };
      const claim = await claimWanted(call, body);
      if (claim !== undefined) {
        const claimed = await createClientWithClaim(context, { ...input, claim });
        const { clientId, programId, environment, tokenEndpoint, expiresAtMs } = claimed;
        const about = { clientId, programId, environment, tokenEndpoint, expiresAtMs };
        return madeClaim(claimed, about);
      }
      const made = await createClient(context, input);
      const { clientId, programId, environment, tokenEndpoint, secretId, expiresAtMs } = made;
      return madeSecret(made, {
        ...{ clientId, programId, environment, tokenEndpoint, secretId, expiresAtMs },
      });
    },
  }),
  row({
    method: 'GET',
    path: '/clients/{client_id}',
    operation: 'client.show',
    permission: 'client:read',
    summary: 'Show a client; a deleted one is shown as such.',
    about: 'client',
    params,
    response: schema.record({ ...client.properties, ...openSuspensions }),
    run: async ({ context, path }) => {
      const found = await showClient(context, { clientId: path.client_id });
      return shown({ ...found.client, suspensions: found.suspensions });
    },
  }),
  row({
    method: 'PATCH',
    path: '/clients/{client_id}',
    operation: 'client.update',
    permission: 'client:update',
    summary: 'Change what is given and leave the rest. Narrowing kills its tokens.',
    about: 'client',
    params,
    body: schema.strict({
      name: Type.Optional(schema.name),
      ...settings,
      verify_address: Type.Optional(
        schema.flag('Its tokens are good from those addresses only as well.'),
      ),
      token_quota: Type.Optional(Type.Union([quota, Type.Literal('none')])),
      keep_tokens: Type.Optional(schema.flag('Narrowing leaves its tokens alive.')),
    }),
    response: clientChange,
    run: async ({ context, path, body }) => {
      const clientId = path.client_id;
      const { name, verify_address, token_quota, keep_tokens } = body;
      const done = await updateClient(context, {
        clientId,
        keepTokens: keep_tokens ?? false,
        set: {
          ...(name === undefined ? {} : { name }),
          ...settingsOf(body),
          ...(verify_address === undefined ? {} : { verifyAddress: verify_address }),
          ...(token_quota === undefined
            ? {}
            : {
                tokenQuota:
                  token_quota === 'none'
                    ? token_quota
                    : { perHour: token_quota.per_hour, enforced: token_quota.enforced },
              }),
        },
      });
      return changed(done, { clientId });
    },
  }),
  row({
    method: 'DELETE',
    path: '/clients/{client_id}',
    operation: 'client.delete',
    permission: 'client:delete',
    summary: 'End a client for good: its tokens die, and its id is never given out again.',
    about: 'client',
    params,
    response: clientChange,
    run: async ({ context, path }) => {
      const clientId = path.client_id;
      return changed(await deleteClient(context, { clientId }), { clientId });
    },
  }),
  row({
    method: 'POST',
    path: '/clients/{client_id}/suspend',
    operation: 'client.suspend',
    permission: 'client:suspend',
    summary: 'Stop a client: none of its tokens is accepted once the receipt is complete.',
    about: 'client',
    params,
    body: SUSPENDING,
    response: schema.change({ client_id: schema.clientId, ...endApproval }),
    run: async (call) => {
      const { context, path, body } = call;
      const clientId = path.client_id;
      const { reason } = body;
      const done = await suspendClient(context, { clientId, reason, untilMs: untilOf(call) });
      return suspended(done, { clientId });
    },
  }),
  row({
    method: 'POST',
    path: '/clients/{client_id}/reactivate',
    operation: 'client.reactivate',
    permission: 'client:reactivate',
    summary: 'Let a suspended client work again, with new tokens only.',
    about: 'client',
    params,
    body: REACTIVATING,
    response: schema.change({ client_id: schema.clientId, ...reactivation }),
    run: async ({ context, path, body }) => {
      const clientId = path.client_id;
      const done = await reactivateClient(context, { clientId, ...termsOf(body) });
      return reactivated(done, { clientId });
    },
  }),
  row({
    method: 'GET',
    path: '/clients/{client_id}/report',
    operation: 'client.report',
    permission: 'client:report',
    summary: 'Tell what its credentials did in a span of time: tokens, addresses, changes.',
    about: 'client',
    params,
    query: {
      since: schema.moment,
      until: Type.Optional(schema.moment),
      secret_id: Type.Optional(schema.secretId),
    },
    response: schema.record({ client_id: schema.clientId, whole: Type.Boolean() }),
    run: async ({ context, path, query }) => {
      const nowMs = context.clock.wallMs();
      const { since, until, secret_id } = query;
      return shown(
        await reportClient(context, {
          clientId: path.client_id,
          sinceMs: parseSince('since', since, nowMs),
          untilMs: until === undefined ? undefined : parseSince('until', until, nowMs),
          secretId: secret_id,
        }),
      );
    },
  }),
];

function settingsOf(body: {
  scope?: string[];
  resources?: string[];
  allow_ip?: string[];
  token_lifetime_seconds?: number;
}) {
  const { scope, resources, allow_ip, token_lifetime_seconds } = body;
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(resources === undefined ? {} : { resources }),
    ...(allow_ip === undefined ? {} : { allowIp: allow_ip }),
    ...(token_lifetime_seconds === undefined
      ? {}
      : { tokenLifetimeSeconds: token_lifetime_seconds }),
  };
}
