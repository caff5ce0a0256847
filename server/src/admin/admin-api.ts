/** The table of the admin API: method, path, operation, permission, and the schemas of what goes in and out. */

import type { AdminRoute } from './route.ts';
import { APPROVAL_ROUTES } from './routes/approvals.ts';
import { AUDIT_ROUTES } from './routes/audit.ts';
import { AUTHORITY_ROUTES } from './routes/authority.ts';
import { CLAIM_ROUTES } from './routes/claims.ts';
import { CLIENT_ROUTES } from './routes/clients.ts';
import { DECLARATION_ROUTES } from './routes/declarations.ts';
import { MANY_CLIENTS_ROUTES } from './routes/many-clients.ts';
import { OPERATOR_ROUTES } from './routes/operators.ts';
import { PROGRAM_ROUTES } from './routes/programs.ts';
import { SECRET_ROUTES } from './routes/secrets.ts';
import { TOKEN_ROUTES } from './routes/tokens.ts';
import { WEBHOOK_ROUTES } from './routes/webhooks.ts';

/** In the order of its description. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...PROGRAM_ROUTES,
  ...CLIENT_ROUTES,
  ...MANY_CLIENTS_ROUTES,
  ...SECRET_ROUTES,
  ...CLAIM_ROUTES,
  ...TOKEN_ROUTES,
  ...DECLARATION_ROUTES,
  ...APPROVAL_ROUTES,
  ...AUDIT_ROUTES,
  ...WEBHOOK_ROUTES,
  ...AUTHORITY_ROUTES,
  ...OPERATOR_ROUTES,
];
