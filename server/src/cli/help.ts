/** Writes help from the command table: an overview, a group, a command. */

import { type Command, GLOBAL_OPTIONS, type Option, type Positional } from './command.ts';
import { table } from './text.ts';

const INDENT = '  ';

/** `countersign client create --program ID …`. */
function usageOf(command: Command): string {
  const options = (command.options ?? []).map((option) => {
    const text = optionText(option);
    const repeated = option.repeatable === true ? `${text}…` : text;
    return option.required === true ? text : `[${repeated}]`;
  });
  const positionals = (command.positionals ?? []).map(nameOf);
  return ['countersign', ...command.path, ...positionals, ...options].join(' ');
}

function nameOf({ name, optional }: Positional): string {
  return optional === true ? `[${name}]` : name;
}

/** Help on what was selected: all commands, a group of them, or one. */
export function helpOn(commands: readonly Command[], path: readonly string[]): string {
  const [only] = commands;
  if (only !== undefined && commands.length === 1 && only.path.length === path.length) {
    return commandHelp(only);
  }
  const rows = commands.map((command) => [
    ['countersign', ...command.path, ...(command.positionals ?? []).map(nameOf)].join(' '),
    command.summary,
  ]);
  const intro =
    path.length === 0
      ? 'countersign: the credential authority of a banking API.\n\n'
      : `countersign ${path.join(' ')}: its commands.\n\n`;
  const outro =
    path.length === 0
      ? `\nEvery command takes:\n${optionTable(GLOBAL_OPTIONS)}\n` +
        '`countersign COMMAND --help` tells more; `countersign --version` prints the version.\n' +
        'Exit code: 0 done, 1 refused (one line on stderr), 2 wrong usage.\n'
      : `\nSee countersign ${path.join(' ')} COMMAND --help.\n`;
  return `${intro}${indented(table(rows))}${outro}`;
}

function commandHelp(command: Command): string {
  const positionals = (command.positionals ?? []).map(({ name, doc }) => [name, doc]);
  const options = command.options ?? [];
  return [
    `${command.summary}\n`,
    `Usage:\n${INDENT}${usageOf(command)}\n`,
    ...(command.about === undefined ? [] : [`${command.about}\n`]),
    ...(positionals.length === 0 ? [] : [`Arguments:\n${indented(table(positionals))}`]),
    ...(options.length === 0 ? [] : [`Options:\n${optionTable(options)}`]),
    `Options of every command:\n${optionTable(GLOBAL_OPTIONS)}`,
    `Examples:\n${command.examples.map((example) => `${INDENT}${example}\n`).join('')}`,
  ].join('\n');
}

function optionTable(options: readonly Option[]): string {
  return indented(
    table(
      options.map((option) => {
        const marks = [
          ...(option.required === true ? ['Required.'] : []),
          ...(option.repeatable === true ? ['May be repeated.'] : []),
        ];
        return [optionText(option), [option.doc, ...marks].join(' ')];
      }),
    ),
  );
}

function optionText({ name, value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, INDENT);
}
