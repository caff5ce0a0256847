/** The command table, in the order of its help. */

import type { Command } from './command.ts';
import { APPROVAL_COMMANDS } from './commands/approval.ts';
import { AUDIT_COMMANDS } from './commands/audit.ts';
import { BACKUP_COMMANDS } from './commands/backup.ts';
import { CLAIM_COMMANDS } from './commands/claim.ts';
import { CLIENT_COMMANDS } from './commands/client.ts';
import { CLIENT_DORMANT } from './commands/client-dormant.ts';
import { CLIENT_REPORT } from './commands/client-report.ts';
import { CLIENT_UPDATE } from './commands/client-update.ts';
import { RESOURCE_COMMANDS, SCOPE_COMMANDS } from './commands/declarations.ts';
import { DOCTOR_COMMAND } from './commands/doctor.ts';
import { EXPLAIN_COMMAND } from './commands/explain.ts';
import { KEY_COMMANDS } from './commands/keys.ts';
import { MIGRATE_COMMAND } from './commands/migrate.ts';
import { NODE_COMMANDS } from './commands/nodes.ts';
import { OPERATOR_COMMANDS } from './commands/operator.ts';
import { POLICY_COMMANDS } from './commands/policy.ts';
import { PROGRAM_COMMANDS } from './commands/program.ts';
import { SECRET_COMMANDS } from './commands/secret.ts';
import { SERVE_COMMAND } from './commands/serve.ts';
import { STORE_COMMANDS } from './commands/store.ts';
import { TOKEN_COMMANDS } from './commands/token.ts';
import { WEBHOOK_COMMANDS } from './commands/webhook.ts';

export const COMMANDS: readonly Command[] = [
  SERVE_COMMAND,
  ...PROGRAM_COMMANDS,
  ...CLIENT_COMMANDS,
  CLIENT_UPDATE,
  CLIENT_REPORT,
  CLIENT_DORMANT,
  ...SECRET_COMMANDS,
  ...CLAIM_COMMANDS,
  ...SCOPE_COMMANDS,
  ...RESOURCE_COMMANDS,
  ...TOKEN_COMMANDS,
  EXPLAIN_COMMAND,
  ...AUDIT_COMMANDS,
  ...WEBHOOK_COMMANDS,
  ...NODE_COMMANDS,
  ...KEY_COMMANDS,
  ...POLICY_COMMANDS,
  ...APPROVAL_COMMANDS,
  ...OPERATOR_COMMANDS,
  DOCTOR_COMMAND,
  MIGRATE_COMMAND,
  ...BACKUP_COMMANDS,
  ...STORE_COMMANDS,
];
