/** The page of the admin API, made from the table that routes, permits, validates and describes it. */

import { ADMIN_ROUTES } from '../../server/src/admin/admin-api.ts';
import { PERMISSIONS, rolesWith } from '../../server/src/admin/permissions.ts';
import { queryOf } from '../../server/src/admin/reading.ts';
import type { AdminRoute } from '../../server/src/admin/route.ts';
import { OPERATORS } from '../../server/src/ports/model.ts';
import { madeFrom, tableOf } from './table.ts';

const intro = `# The admin API

All that operators do, as JSON over HTTP below \`/admin/v1\` on the admin listener; [operating/admin-api.md](../operating/admin-api.md) tells how to
get in. \`GET /admin/v1/openapi.json\` describes it for machines (OpenAPI 3.1), made from the same schemas that validate. It does what
the command line does, through the same functions, and leaves the same audit lines. Not here: \`backup\`, \`restore\`, \`store\`, \`migrate\`, \`serve\` and
\`keys rewrap\`, which need the files or the master key of a machine and not only a role.

**Who.** Each request carries an access token of the operators' issuer (\`Authorization: Bearer …\`, RFC 6750). 401: none, or a dead one. 403: the role lacks the
permission; \`scope\` in the challenge names the roles that have it. A partner is bound to its program: what belongs to another one is 404
for it, and the try stands in the audit trail. It may make 60 changes at once and 30 a minute on each node: more are 429 with \`Retry-After\`.

**Requests.** Bodies are JSON; what is not known is refused by its name, and nothing is coerced. Times are given with their zone, as a date (UTC) or as a duration from
now, and answered in ISO 8601. Answers may gain members.

**Changes** answer once every node has acknowledged them: 200, or 201 for what was made, with the receipt inside. If that takes longer than five seconds the answer is 202: the change
is made, \`complete\` is false, and \`Location\` is where to ask for the receipt again.

**ETag.** What is shown alone carries the number of the last change about it; a client's secrets count as the client. \`If-None-Match\` answers 304 while that stays. \`If-Match\` on a change refuses it with 412
when somebody else has changed it since, in the change's own transaction: nothing is lost and nothing written.

**Idempotency-Key** on what makes something (201): asked again within a day by the same operator, it answers the same ids with \`replayed\`, and never a secret, which was shown once.
The same key with another request is 422.

**Lists** answer \`items\` and, unless they end there, \`next_cursor\`, which is good for the same list with the same filter. What comes meanwhile moves no page.

**Errors** are problem details (RFC 9457): \`type\`, \`title\`, \`status\`, \`detail\`, \`request_id\`, and \`errors\` that name fields by JSON pointer. 503 has \`Retry-After\`: whether a change
was made is then not known, so repeat it, with the same key.`;

const permissionTable = (): string => {
  const rows = Object.keys(PERMISSIONS).map((permission) => [
    `\`${permission}\``,
    ...OPERATORS.roles.map((role) => {
      const roles = rolesWith(permission as keyof typeof PERMISSIONS);
      return roles.includes(role) ? 'yes' : '';
    }),
  ]);
  return `## Roles\n\n${tableOf(['permission', ...OPERATORS.roles], rows)}`;
};

type Schema = Readonly<Record<string, unknown>>;

/** Shown in tables where it is short, and by its kind where it is not. */
const typeOf = (schema: Schema): string => {
  const choices = schema['anyOf'] as Schema[] | undefined;
  if (choices !== undefined) return choices.map(typeOf).join(', ');
  if (schema['const'] !== undefined) return `\`${String(schema['const'])}\``;
  if (schema['type'] !== 'array') return String(schema['type']);
  return `list of ${typeOf(schema['items'] as Schema)}s`;
};

const fieldRows = (where: string, object: AdminRoute['params']): readonly (readonly string[])[] =>
  Object.entries(object.properties).map(([name, schema]) => [
    `\`${name}\``,
    where,
    typeOf(schema as Schema),
    object.required?.includes(name) === true ? 'yes' : '',
    String((schema as Schema)['description'] ?? ''),
  ]);

const section = (route: AdminRoute): string => {
  const rows = [
    ...fieldRows('path', route.params),
    ...fieldRows('query', queryOf(route)),
    ...(route.body === undefined ? [] : fieldRows('body', route.body)),
  ];
  return [
    `## ${route.method} ${route.path}`,
    `${route.summary} Operation \`${route.operation}\`, permission \`${route.permission}\` (${rolesWith(route.permission).join(', ')}).`,
    ...(rows.length === 0 ? [] : [tableOf(['name', 'in', 'is', 'required', 'means'], rows)]),
  ].join('\n\n');
};

/** The whole page. */
export const adminApiPage = (): string => {
  const parts = [
    madeFrom('the table in server/src/admin'),
    intro,
    permissionTable(),
    ...ADMIN_ROUTES.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
};
