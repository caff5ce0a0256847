/** The page of settings, made from the table that the server reads them by. */

import { SETTINGS } from '../../server/src/config.ts';
import { madeFrom, tableOf } from './table.ts';

type Described = {
  readonly doc: string;
  readonly flag?: string;
  readonly variable?: string;
  readonly inFile?: false;
  readonly fallback: unknown;
};

const intro = `# Settings

A flag wins over its environment variable, that over the configuration file, and that over the default. The file is one JSON
object (\`--config FILE\` or \`COUNTERSIGN_CONFIG\`); its keys are the names in the first column. A value that cannot be used ends
the start with one line that names the setting, where its value came from and what is expected; the value itself is
not repeated. A key that is no setting is an error too.

Lists are comma-separated in a flag or a variable, and arrays in the file.`;

const outro = `## Environments

\`environments\` stands in the file only, as an array of objects:

\`\`\`json
{
  "environments": [
    { "name": "sandbox", "tag": "test" },
    { "name": "production", "tag": "live", "issuer": "https://auth.bank.example" }
  ]
}
\`\`\`

| key | is |
|---|---|
| \`name\` | \`[a-z][a-z0-9-]*\`, at most 32 characters; also the last part of the issuer unless \`issuer\` is given |
| \`tag\` | \`[a-z0-9]{2,12}\`; stands in every identifier of the environment, such as \`client_test_…\` |
| \`issuer\` | an http or https URL without query, fragment and slash at its end |

Names and tags are read once, when a data directory is made. Issuers follow the configuration at every start; a change of one
is recorded in the audit trail.

## The address of a listener

Plain HTTP is served on loopback addresses only. On any other address a listener needs \`tlsCertificate\` and \`tlsKey\`, or
\`trustedProxies\`; without them the server refuses to start. This holds for both listeners.`;

/** The whole page. */
export const configurationPage = (): string => {
  const rows = (Object.entries(SETTINGS) as [string, Described][]).map(([name, setting]) => [
    setting.inFile === false ? `${name} (not in the file)` : `\`${name}\``,
    setting.doc,
    setting.flag === undefined ? '' : `\`--${setting.flag}\``,
    setting.variable === undefined ? '' : `\`${setting.variable}\``,
    fallbackText(setting.fallback),
  ]);
  const table = tableOf(['setting', 'is', 'flag', 'variable', 'default'], rows);
  return `${[madeFrom('SETTINGS in server/src/config.ts'), intro, table, outro].join('\n\n')}\n`;
};

const fallbackText = (fallback: unknown): string => {
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return 'none';
  if (typeof fallback !== 'object' || fallback === null) return `\`${fallback}\``;
  if ('host' in fallback && 'port' in fallback) return `\`${fallback.host}:${fallback.port}\``;
  if (!Array.isArray(fallback)) return `\`${JSON.stringify(fallback)}\``;
  return fallback.map(({ name, tag }) => `\`${name}\` (tag \`${tag}\`)`).join(', ');
};
