/** Reads a command line against the table: which command, and what it is given. Repeats no value, as it may be a secret. */

import { parseArgs } from 'node:util';
import {
  type Arguments,
  type Command,
  GLOBAL_OPTIONS,
  type Option,
  UsageError,
} from './command.ts';
import { nearest } from './nearest.ts';

export type Parsed = {
  readonly args: Arguments;
  /** Options that choose the configuration, by name. */
  readonly flags: Readonly<Record<string, string | readonly string[]>>;
};

type Given = Readonly<Record<string, readonly string[]>>;
export type Selection = {
  /** Commands that begin with the words given; one when it is named in full. */
  readonly commands: readonly Command[];
  readonly path: readonly string[];
  /** The arguments without those words. */
  readonly rest: readonly string[];
  readonly wantsHelp: boolean;
};

/** A word that is safe to repeat: no secret, id or token looks like it. */
const PLAIN_WORD = /^[a-z][a-z-]{0,23}$/;

/** Finds the command that a line names, or the group of commands. Throws `UsageError` for words that name none. */
export function selectCommand(table: readonly Command[], argv: readonly string[]): Selection {
  const { tokens } = parseArgs({
    args: [...argv],
    options: optionsOf(GLOBAL_OPTIONS),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.filter((token) => token.kind === 'positional');
  const asksFirst = words[0]?.value === 'help';
  const wantsHelp =
    asksFirst || tokens.some((token) => token.kind === 'option' && isHelp(token.rawName));
  const named = asksFirst ? words.slice(1) : words;
  let commands = table;
  const path: string[] = [];
  for (const { value } of named) {
    if (commands.length === 1 && commands[0]?.path.length === path.length) break;
    const next = commands.filter((command) => command.path[path.length] === value);
    if (next.length === 0) throw unknownCommand(commands, path, value);
    commands = next;
    path.push(value);
  }
  const taken = new Set(
    words.slice(0, path.length + (asksFirst ? 1 : 0)).map(({ index }) => index),
  );
  return { commands, path, rest: argv.filter((_, index) => !taken.has(index)), wantsHelp };
}

/** Reads the arguments of one command. Throws `UsageError`. */
export function parseArguments(command: Command, rest: readonly string[]): Parsed {
  const options = [...(command.options ?? []), ...GLOBAL_OPTIONS];
  const given: Record<string, string[]> = {};
  const values: string[] = [];
  for (const token of strictTokens(command, options, rest)) {
    if (token.kind === 'positional') values.push(token.value);
    if (token.kind !== 'option') continue;
    const known = options.find(({ name }) => name === token.name);
    if (given[token.name] !== undefined && known?.repeatable !== true) {
      throw new UsageError(`--${token.name} is given twice`, command.path);
    }
    given[token.name] = [...(given[token.name] ?? []), token.value ?? ''];
  }
  requireAll(command, given, values);
  const flags = Object.entries(given).map(([name, [first = '', ...more]]) => {
    const isList = options.find((option) => option.name === name)?.repeatable === true;
    return [name, isList ? [first, ...more] : first] as const;
  });
  return { args: argumentsOf(command, given, values), flags: Object.fromEntries(flags) };
}

function argumentsOf(command: Command, given: Given, values: readonly string[]): Arguments {
  const positionals = (command.positionals ?? []).map(({ name }) => name);
  return {
    positional: (name) => values[positionals.indexOf(name)] ?? '',
    option: (name) => given[name]?.[0],
    required: (name) => given[name]?.[0] ?? '',
    list: (name) => given[name] ?? [],
    flag: (name) => given[name] !== undefined,
  };
}

function requireAll(command: Command, given: Given, values: readonly string[]): void {
  const positionals = command.positionals ?? [];
  const missing = positionals[values.length];
  if (missing !== undefined && missing.optional !== true) {
    throw new UsageError(`${missing.name} is missing`, command.path);
  }
  if (values.length > positionals.length) {
    const many = values.length - positionals.length;
    throw new UsageError(
      `${many} argument${many === 1 ? '' : 's'} too many (a value with spaces needs quotes)`,
      command.path,
    );
  }
  for (const { name, value, required } of command.options ?? []) {
    if (required === true && given[name] === undefined) {
      throw new UsageError(`--${name} ${value ?? ''} is missing`, command.path);
    }
  }
}

function strictTokens(command: Command, options: readonly Option[], rest: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...rest],
      options: optionsOf(options),
      strict: true,
      allowPositionals: true,
      tokens: true,
    });
    return parsed.tokens;
  } catch (error) {
    throw new UsageError(optionProblem(error as Error, options), command.path);
  }
}

/** The parser's first sentence; for an option that does not exist, the one that may have been meant. */
function optionProblem(error: Error, options: readonly Option[]): string {
  const unknown = /^Unknown option '(-[^']*)'/.exec(error.message)?.[1];
  if (unknown === undefined) return error.message.split(/\.?\n|\. /)[0] ?? 'the options are wrong';
  const names = options.map(({ name }) => name);
  const meant = nearest(unknown.replace(/^-+/, ''), names);
  const hint = meant === undefined ? '' : `; did you mean --${meant}?`;
  return `there is no option ${unknown.slice(0, 32)}${hint}`;
}

function unknownCommand(
  commands: readonly Command[],
  path: readonly string[],
  word: string,
): UsageError {
  const known = [...new Set(commands.map((command) => command.path[path.length] ?? ''))];
  const meant = nearest(word, known);
  const repeated = PLAIN_WORD.test(word) ? ` "${[...path, word].join(' ')}"` : '';
  const hint = meant === undefined ? '' : `; did you mean "${[...path, meant].join(' ')}"?`;
  return new UsageError(`there is no command${repeated}${hint}`, path);
}

function optionsOf(options: readonly Option[]) {
  return Object.fromEntries(
    options.map(({ name, value }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(name === 'help' ? { short: 'h' } : {}),
        multiple: value !== undefined,
      },
    ]),
  );
}

function isHelp(rawName: string): boolean {
  return rawName === '--help' || rawName === '-h';
}
