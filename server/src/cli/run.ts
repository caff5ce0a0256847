/** The command line: finds the command, runs it, prints its output, and turns whatever happens into an exit code. */

import { VERSION } from '../version.ts';
import { parseArguments, selectCommand } from './arguments.ts';
import { type Arguments, type CliDeps, type Command, type Output, UsageError } from './command.ts';
import { SERVE_COMMAND } from './commands/serve.ts';
import { helpOn } from './help.ts';

const DONE = 0;
const REFUSED = 1;
const WRONG_USAGE = 2;

/** After this time people want to know what is going on. */
const PATIENCE_MS = 2_000;

/** Runs one command line. Never rejects: resolves to 0 done, 1 refused, 2 wrong usage. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  // A reader that has gone away (`… | head`) is no failure.
  for (const stream of [deps.stdout, deps.stderr]) stream.on('error', ignoreBrokenPipe);
  try {
    return await runLine(argv, deps);
  } catch (error) {
    return explain(error as Error, deps);
  }
}

async function runLine(argv: readonly string[], deps: CliDeps): Promise<number> {
  if (argv.length === 1 && argv[0] === '--version') return print(deps, `${VERSION}\n`);
  const { commands, path, rest, wantsHelp } = selectCommand(await commandsFor(argv), argv);
  const [command] = commands;
  const isNamed = commands.length === 1 && command?.path.length === path.length;
  if (wantsHelp || (!isNamed && rest.length === 0)) return print(deps, helpOn(commands, path));
  if (command === undefined || !isNamed) throw new UsageError('a command is missing', path);

  const { args, flags } = parseArguments(command, rest);
  if ('start' in command) {
    const ended = await command.start({ args, flags, deps });
    return typeof ended === 'number' ? ended : printOutput(ended, args, deps);
  }
  const given = await withStandardInput(command, args, deps);
  const { context, newMasterKeyFile, close } = await deps.open(deps.readConfig(flags));
  let output: Output;
  try {
    if (newMasterKeyFile !== undefined) announceKey(newMasterKeyFile, deps);
    const isWatched = deps.stderr.isTTY === true || !args.flag('json');
    const work = command.run({
      context,
      args: given,
      tell: (line) => {
        if (isWatched) deps.stderr.write(`${line}\n`);
      },
    });
    output = await (command.changes === true && isWatched ? patiently(work, deps) : work);
  } finally {
    await close();
  }
  return printOutput(output, args, deps);
}

/** A node needs no other command than its own, and its writer thread starts the sooner without them. */
async function commandsFor([first]: readonly string[]): Promise<readonly Command[]> {
  return first === 'serve' ? [SERVE_COMMAND] : (await import('./commands.ts')).COMMANDS;
}

function printOutput(output: Output, args: Arguments, deps: CliDeps): number {
  const { document, text, complaint } = output;
  print(deps, args.flag('json') ? `${JSON.stringify(document, undefined, 2)}\n` : text);
  if (complaint === undefined) return DONE;
  deps.stderr.write(`${oneLine(complaint)}\n`);
  return REFUSED;
}

function print(deps: CliDeps, text: string): number {
  deps.stdout.write(text);
  return DONE;
}

/** `-` for a token means that it comes on standard input, so that it stands in no shell history and no process list. */
async function withStandardInput(
  command: Command,
  args: Arguments,
  deps: CliDeps,
): Promise<Arguments> {
  const takesToken = command.positionals?.some(({ name }) => name === 'TOKEN') === true;
  if (!takesToken || args.positional('TOKEN') !== '-') return args;
  const token = await readLine(deps.stdin, command);
  return { ...args, positional: (name) => (name === 'TOKEN' ? token : args.positional(name)) };
}

/** No token is nearly as long. */
const STANDARD_INPUT_LENGTH_MAX = 4_096;

async function readLine(stdin: CliDeps['stdin'], command: Command): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
    if (text.length > STANDARD_INPUT_LENGTH_MAX || text.includes('\n')) break;
  }
  const line = text.split('\n', 1)[0]?.trim() ?? '';
  if (line === '') throw new UsageError('standard input held no token', command.path);
  return line;
}

/** What whoever waits for long is told. */
export const WAITING =
  'Waiting for every node to acknowledge; one that is gone is written off when its lease ends.\n';

/** Says what is being waited for, once it takes long. */
async function patiently<T>(work: Promise<T>, deps: CliDeps): Promise<T> {
  const timer = setTimeout(() => {
    deps.stderr.write(WAITING);
  }, PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

function announceKey(file: string, deps: CliDeps): void {
  deps.stderr.write(
    `A new data directory, with a master key in ${file}: keep a copy apart from backups of the data; ` +
      'without it no secret and no token can be checked.\n',
  );
}

function explain(error: Error, deps: CliDeps): number {
  if (!(error instanceof UsageError)) {
    deps.stderr.write(`${oneLine(error.message)}\n`);
    return REFUSED;
  }
  const command = ['countersign', ...error.path].join(' ');
  deps.stderr.write(`${oneLine(error.message)}\nSee ${command} --help\n`);
  return WRONG_USAGE;
}

/** What is printed for one line stays one line, whatever a message quotes. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

function ignoreBrokenPipe(error: Error & { code?: string }): void {
  if (error.code !== 'EPIPE') throw error;
}
