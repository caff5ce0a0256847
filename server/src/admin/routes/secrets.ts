/** The rows of client secrets. */

import { type CreatedClaim, claimRotation, claimSecret } from '../../operations/create-claim.ts';
import { createSecret } from '../../operations/create-secret.ts';
import { documentOf } from '../../operations/document.ts';
import { expireSecret } from '../../operations/expire-secret.ts';
import { listSecrets } from '../../operations/read-directory.ts';
import { revokeSecret } from '../../operations/revoke-secret.ts';
import { rotateSecret } from '../../operations/rotate-secret.ts';
import { isStillUsed, secretState } from '../../operations/secret-state.ts';
import { parseDuration, parseTime } from '../../operations/time-input.ts';
import { claimMember, claimWanted, handedOver } from '../handover.ts';
import { Type } from '../json-schema.ts';
import {
  type AdminRoute,
  type Call,
  changed,
  madeClaim,
  madeSecret,
  type Result,
  row,
  wholeList,
} from '../route.ts';
import * as schema from '../schemas.ts';

const ofClient = { client_id: schema.clientId };
const ofSecret = { secret_id: schema.secretId };
const secret = schema.record({
  secret_id: schema.secretId,
  client_id: schema.clientId,
  hint: Type.String({ description: 'Its last four characters.' }),
  state: Type.String(),
  created_at: schema.at,
  created_by: Type.String(),
  expires_at: Type.Optional(schema.at),
  revoked_at: Type.Optional(schema.at),
  exposed_at: Type.Optional(schema.at),
  last_used_at: Type.Optional(schema.at),
});
const newSecret = {
  name: Type.Optional(schema.name),
  expires_at: Type.Optional(schema.moment),
  ...claimMember,
};
const made = {
  client_id: schema.clientId,
  secret_id: Type.Optional(schema.secretId),
  name: Type.Optional(Type.String()),
  expires_at: Type.Optional(schema.at),
  ...handedOver,
};
const secretChange = schema.change({ secret_id: schema.secretId });

export const SECRET_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/clients/{client_id}/secrets',
    operation: 'secret.list',
    permission: 'secret:read',
    summary: 'List the secrets of a client, by id and last characters.',
    about: 'client',
    params: ofClient,
    response: schema.page(secret),
    run: async ({ context, path }) => {
      const secrets = await listSecrets(context, { clientId: path.client_id });
      const nowMs = context.clock.wallMs();
      return wholeList(
        secrets.map((one) => ({
          ...(documentOf(one) as object),
          state: secretState(one, nowMs),
          ...(isStillUsed(one, secrets, nowMs) ? { still_used: true } : {}),
        })),
      );
    },
  }),
  row({
    method: 'POST',
    path: '/clients/{client_id}/secrets',
    operation: 'secret.create',
    permission: 'secret:create',
    summary: 'Add a secret to a client, handed over by a claim.',
    about: 'client',
    params: ofClient,
    body: schema.strict(newSecret),
    response: schema.change(made),
    creates: true,
    run: async (call) => {
      const { context, path, body } = call;
      const input = {
        clientId: path.client_id,
        name: body.name,
        expiresAtMs: timeOf(call, 'expires_at', body.expires_at),
      };
      const claim = await claimWanted(call, body);
      if (claim !== undefined)
        return claimed(await claimSecret(context, { ...input, claim }), input);
      const created = await createSecret(context, input);
      const { clientId, secretId, name, expiresAtMs } = created;
      return madeSecret(created, { clientId, secretId, name, expiresAtMs });
    },
  }),
  row({
    method: 'POST',
    path: '/clients/{client_id}/secrets/rotate',
    operation: 'secret.rotate',
    permission: 'secret:rotate',
    summary: 'Replace the secrets of a client; the earlier ones stay good for an overlap.',
    about: 'client',
    params: ofClient,
    body: schema.strict({
      ...newSecret,
      overlap: Type.Optional(
        schema.text('How long the earlier ones stay good: 24h (default), 30m, 0s.', 16),
      ),
    }),
    response: schema.change({ ...made, others_expire_at: Type.Optional(schema.at) }),
    creates: true,
    run: async (call) => {
      const { context, path, body } = call;
      const { overlap } = body;
      const input = {
        clientId: path.client_id,
        name: body.name,
        overlapMs: overlap === undefined ? undefined : parseDuration('overlap', overlap),
        expiresAtMs: timeOf(call, 'expires_at', body.expires_at),
      };
      const claim = await claimWanted(call, body);
      if (claim !== undefined) {
        return claimed(await claimRotation(context, { ...input, claim }), input);
      }
      const rotated = await rotateSecret(context, input);
      const { clientId, secretId, name, expiresAtMs, othersExpireAtMs } = rotated;
      return madeSecret(rotated, { clientId, secretId, name, expiresAtMs, othersExpireAtMs });
    },
  }),
  row({
    method: 'POST',
    path: '/secrets/{secret_id}/expire',
    operation: 'secret.expire',
    permission: 'secret:expire',
    summary: 'Move the end of a secret; without `at` it does not end by itself.',
    about: 'secret',
    params: ofSecret,
    body: schema.strict({ at: Type.Optional(schema.moment) }),
    response: secretChange,
    run: async (call) => {
      const secretId = call.path.secret_id;
      const expiresAtMs = timeOf(call, 'at', call.body.at);
      const done = await expireSecret(call.context, { secretId, expiresAtMs });
      return changed(done, { secretId, expiresAtMs });
    },
  }),
  row({
    method: 'POST',
    path: '/secrets/{secret_id}/revoke',
    operation: 'secret.revoke',
    permission: 'secret:revoke',
    summary: 'End a secret at once, and on request every token that it got.',
    about: 'secret',
    params: ofSecret,
    body: schema.strict({
      kill_tokens: Type.Optional(schema.flag('Kill the tokens that it got as well.')),
    }),
    response: secretChange,
    run: async ({ context, path, body }) => {
      const secretId = path.secret_id;
      const killTokens = body.kill_tokens ?? false;
      const done = await revokeSecret(context, { secretId, killTokens });
      return changed(done, { secretId, killTokens });
    },
  }),
];

function claimed(
  made: CreatedClaim,
  { name, expiresAtMs }: { name?: string | undefined; expiresAtMs?: number | undefined },
): Result {
  return madeClaim(made, { clientId: made.clientId, name, expiresAtMs });
}

function timeOf(
  { context }: Pick<Call, 'context'>,
  parameter: string,
  given: string | undefined,
): number | undefined {
  return given === undefined ? undefined : parseTime(parameter, given, context.clock.wallMs());
}
