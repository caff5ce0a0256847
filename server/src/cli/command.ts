/** What a command of the table is: data that help, parsing and running are all made from. Knows no single command. */

import type { Config, Flags } from '../config.ts';
import type { OperationContext } from '../operations/context.ts';

export type Option = {
  readonly name: string;
  /** What stands for its value in help; left out: it takes none. */
  readonly value?: string;
  readonly doc: string;
  readonly required?: true;
  readonly repeatable?: true;
};

export type Positional = {
  readonly name: string;
  readonly doc: string;
  /** May be left out, if it is the last one; then it is ''. */
  readonly optional?: true;
};

/** What a command prints: the document for programs, the text for people. */
export type Output = {
  readonly document: unknown;
  readonly text: string;
  /** What went wrong though there is something to print: one line for stderr, and exit 1. */
  readonly complaint?: string | undefined;
};

/** What a command line gave, by the names of the table. */
export type Arguments = {
  positional(name: string): string;
  option(name: string): string | undefined;
  /** Of an option that is marked as required. */
  required(name: string): string;
  list(name: string): readonly string[];
  flag(name: string): boolean;
};

/** What a command that works on the store is given. */
export type StoreCall = {
  readonly context: OperationContext;
  readonly args: Arguments;
  /** Tells whoever watches how far it is: a line on stderr. */
  readonly tell: (line: string) => void;
};

/** What a command that opens things itself is given. */
export type MachineCall = {
  readonly args: Arguments;
  readonly flags: Flags;
  readonly deps: CliDeps;
};

export type Command = {
  /** `client create`: the words that name it. */
  readonly path: readonly string[];
  readonly summary: string;
  /** More to know, in whole sentences. */
  readonly about?: string;
  readonly positionals?: readonly Positional[];
  readonly options?: readonly Option[];
  readonly examples: readonly string[];
  /** It changes the state and waits until the nodes have acknowledged that. */
  readonly changes?: true;
} & (
  | { readonly run: (call: StoreCall) => Promise<Output> }
  /** Resolves to the exit code. */
  | { readonly start: (call: MachineCall) => Promise<number | Output> }
);

export type TextSink = {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once?(event: 'drain' | 'close', listener: () => void): unknown;
  /** Nobody reads any more. */
  readonly destroyed?: boolean;
};

/** The machine as the command line sees it. */
export type CliDeps = {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Who gives the commands: `cli:ada@desk-4`. */
  readonly actor: string;
  readonly readConfig: (flags: Flags) => Config;
  readonly open: (config: Config) => Promise<{
    readonly context: OperationContext;
    /** Where a master key was made just now, as the data directory was new. */
    readonly newMasterKeyFile: string | undefined;
    close(): Promise<void>;
  }>;
  readonly serve: (config: Config) => Promise<number>;
};

/** The command line itself is wrong: exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The command whose help to read. */
  readonly path: readonly string[];

  constructor(message: string, path: readonly string[] = []) {
    super(message);
    this.path = path;
  }
}

/** What every command takes. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  { name: 'data', value: 'DIR', doc: 'Data directory (COUNTERSIGN_DATA; default ./data).' },
  { name: 'config', value: 'FILE', doc: 'Configuration file, JSON (COUNTERSIGN_CONFIG).' },
  {
    name: 'database-url',
    value: 'URL',
    doc: 'PostgreSQL instead of a data directory (COUNTERSIGN_DATABASE_URL).',
  },
  {
    name: 'master-key-file',
    value: 'FILE',
    doc: 'Master key, if not in the data directory (COUNTERSIGN_MASTER_KEY_FILE).',
  },
  { name: 'json', doc: 'Print one JSON document.' },
  { name: 'help', doc: 'Show this help.' },
];
