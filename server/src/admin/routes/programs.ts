/** The rows of programs. */

import { createProgram } from '../../operations/create-program.ts';
import { documentOf } from '../../operations/document.ts';
import { reactivateProgram } from '../../operations/reactivate-program.ts';
import { listPrograms, showProgram } from '../../operations/read-directory.ts';
import { suspendProgram } from '../../operations/suspend-program.ts';
import type { ProgramRecord } from '../../ports/model.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, pageOf, row, shown } from '../route.ts';
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

const params = { program_id: schema.programId };
const program = schema.record({
  program_id: schema.programId,
  name: Type.String(),
  state: schema.activity,
  suspended: Type.Boolean(),
  suspended_reason: Type.Optional(Type.String()),
  suspended_at: Type.Optional(schema.at),
  created_at: schema.at,
});

export const PROGRAM_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/programs',
    operation: 'program.list',
    permission: 'program:read',
    summary: 'List the programs in the order of their creation.',
    about: 'own',
    query: {
      state: Type.Optional(schema.activity),
      name: Type.Optional(schema.nameContains),
    },
    response: schema.page(program),
    pages: true,
    run: async (call) => {
      const { context, query, page } = call;
      const found = await listPrograms(context, {
        ...page,
        programId: call.program,
        state: query.state,
        nameContains: query.name,
      });
      return pageOf(call, found, programDocument);
    },
  }),
  row({
    method: 'POST',
    path: '/programs',
    operation: 'program.create',
    permission: 'program:create',
    summary: 'Take in a partner program.',
    body: schema.strict({ name: schema.name }),
    response: schema.change({ program_id: schema.programId, name: Type.String() }),
    creates: true,
    run: async ({ context, body }) => {
      const { programId, name, ...done } = await createProgram(context, body);
      return changed(done, { programId, name });
    },
  }),
  row({
    method: 'GET',
    path: '/programs/{program_id}',
    operation: 'program.show',
    permission: 'program:read',
    summary: 'Show a program; its clients are listed by `GET /clients?program_id=…`.',
    about: 'program',
    params,
    response: schema.record({ ...program.properties, ...openSuspensions }),
    run: async ({ context, path }) => {
      const found = await showProgram(context, { programId: path.program_id });
      return shown({ ...programDocument(found.program), suspensions: found.suspensions });
    },
  }),
  row({
    method: 'POST',
    path: '/programs/{program_id}/suspend',
    operation: 'program.suspend',
    permission: 'program:suspend',
    summary: 'Stop a program: no token of its clients is accepted once the receipt is complete.',
    about: 'program',
    params,
    body: SUSPENDING,
    response: schema.change({ program_id: schema.programId, ...endApproval }),
    run: async (call) => {
      const { context, path, body } = call;
      const programId = path.program_id;
      const { reason } = body;
      const done = await suspendProgram(context, { programId, reason, untilMs: untilOf(call) });
      return suspended(done, { programId });
    },
  }),
  row({
    method: 'POST',
    path: '/programs/{program_id}/reactivate',
    operation: 'program.reactivate',
    permission: 'program:reactivate',
    summary: 'Let a suspended program work again, with new tokens only.',
    about: 'program',
    params,
    body: REACTIVATING,
    response: schema.change({ program_id: schema.programId, ...reactivation }),
    run: async ({ context, path, body }) => {
      const programId = path.program_id;
      const done = await reactivateProgram(context, { programId, ...termsOf(body) });
      return reactivated(done, { programId });
    },
  }),
];

function programDocument(found: ProgramRecord): object {
  const state = found.suspended ? 'suspended' : 'active';
  return { ...(documentOf(found) as object), state };
}
