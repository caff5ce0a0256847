/** The page of commands, made from the table that the command line reads them by. */

import { type Command, GLOBAL_OPTIONS, type Option } from '../../server/src/cli/command.ts';
import { COMMANDS } from '../../server/src/cli/commands.ts';
import { madeFrom, tableOf } from './table.ts';

const intro = `# Commands

In a checkout: \`npx --no-install countersign …\`. (Without the flag, and before an install, \`npx\` would fetch whatever stands under
that name in the registry.) Each command says the same and more under \`--help\`.

Commands work on the same data directory as a running server, at the same time; the server follows the change log, so
nothing has to be restarted or reloaded.

| exit code | means |
|---|---|
| 0 | done |
| 1 | refused, or the set-up is at fault: one line on standard error |
| 2 | wrong usage: what is wrong, and where the help is |

With \`--json\` a command prints one JSON document: members in snake case, times in ISO 8601.`;

const option = ({ name, value }: Option): string =>
  value === undefined ? `--${name}` : `--${name} ${value}`;

const optionRows = (options: readonly Option[]): readonly (readonly string[])[] =>
  options.map((it) => [
    `\`${option(it)}\``,
    [
      it.doc,
      ...(it.required === true ? ['Required.'] : []),
      ...(it.repeatable === true ? ['May be repeated.'] : []),
    ].join(' '),
  ]);

const section = ({ path, positionals = [], options = [], ...command }: Command): string => {
  const name = ['countersign', ...path, ...positionals.map((it) => it.name)].join(' ');
  const rows = [...positionals.map((it) => [`\`${it.name}\``, it.doc]), ...optionRows(options)];
  return [
    `## ${name}`,
    [command.summary, ...(command.about === undefined ? [] : [command.about])].join(' '),
    ...(rows.length === 0 ? [] : [tableOf(['argument', 'is'], rows)]),
    `\`\`\`sh\n${command.examples.join('\n')}\n\`\`\``,
  ].join('\n\n');
};

/** The whole page. */
export const commandLinePage = (): string => {
  const everywhere = `## Every command takes\n\n${tableOf(['option', 'is'], optionRows(GLOBAL_OPTIONS))}`;
  const parts = [
    madeFrom('the table in server/src/cli'),
    intro,
    everywhere,
    ...COMMANDS.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
};
