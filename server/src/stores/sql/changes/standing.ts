/** Who is suspended, who works again, and who may decide that: these changes by their kinds. */

import type { Approvable } from '../../../ports/approvals.ts';
import type { Change, Committed } from '../../../ports/store.ts';
import type { Effect } from '../append.ts';
import type { Steps } from '../schema.ts';
import { askApproval, grantApproval, refuseApproval, withoutApproval } from './approvals.ts';
import { suspendClients } from './bulk-suspension.ts';
import { reactivateClient, suspendClient } from './clients.ts';
import { endDueSuspensions } from './due-suspensions.ts';
import { setPolicy } from './policies.ts';
import { reactivateProgram, suspendProgram } from './programs.ts';

type By = { readonly actor: string; readonly atMs: number };
type StandingChange = Extract<
  Change,
  {
    kind:
      | Approvable['kind']
      | 'program.suspend'
      | 'client.suspend'
      | 'client.suspend-many'
      | 'suspension.end'
      | 'approval.ask'
      | 'approval.grant'
      | 'approval.refuse';
  }
>;

export function changeStanding(change: StandingChange, by: By): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'program.suspend':
      return suspendProgram(change, by);
    case 'client.suspend':
      return suspendClient(change, by);
    case 'client.suspend-many':
      return suspendClients(change, by);
    case 'suspension.end':
      return endDueSuspensions(change, by);
    case 'program.reactivate':
    case 'client.reactivate':
    case 'policy.set':
      return withoutApproval(change, () => approved(change, by));
    case 'approval.ask':
      return askApproval(change, by);
    case 'approval.grant':
      return grantApproval(change, by, (asked) => approved(asked, by));
    case 'approval.refuse':
      return refuseApproval(change, by);
  }
}

/** What may need an approval, once that is settled. */
function approved(change: Approvable, by: By): Steps<Effect | Committed> {
  switch (change.kind) {
    case 'program.reactivate':
      return reactivateProgram(change, by);
    case 'client.reactivate':
      return reactivateClient(change, by);
    case 'policy.set':
      return setPolicy(change, by);
  }
}
