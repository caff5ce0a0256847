/** The commands of programs. */

import { createProgram } from '../../operations/create-program.ts';
import { reactivateProgram } from '../../operations/reactivate-program.ts';
import { listPrograms, showProgram } from '../../operations/read-directory.ts';
import { suspendProgram } from '../../operations/suspend-program.ts';
import type { ProgramRecord } from '../../ports/model.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list, pairs, timeText } from '../text.ts';
import { clientTable } from './client-table.ts';
import {
  REACTIVATE_OPTIONS,
  reactivating,
  SUSPEND_OPTIONS,
  suspending,
  suspensionTable,
} from './suspension.ts';

const ID = { name: 'ID', doc: 'Id of the program: program_…' };

async function create({ context, args }: StoreCall): Promise<Output> {
  const { programId, name, ...done } = await createProgram(context, {
    name: args.positional('NAME'),
  });
  return changeOutput(done, {
    members: { programId, name },
    words: 'Created.',
    entries: [['program_id', programId]],
  });
}

async function listAll({ context }: StoreCall): Promise<Output> {
  const programs = await listPrograms(context);
  const rows = programs.map((program) => [
    program.programId,
    stateOf(program),
    timeText(program.createdAtMs) ?? '',
    program.name,
  ]);
  return {
    document: programs.map(programDocument),
    text: list(
      ['PROGRAM', 'STATE', 'CREATED', 'NAME'],
      rows,
      'There is no program yet; countersign program create NAME makes one.',
    ),
  };
}

async function show({ context, args }: StoreCall): Promise<Output> {
  const { program, clients, suspensions } = await showProgram(context, {
    programId: args.positional('ID'),
  });
  const known = pairs([
    ['program', program.programId],
    ['name', program.name],
    ['state', stateOf(program)],
    ['reason', program.suspendedReason],
    ['suspended', timeText(program.suspendedAtMs)],
    ['created', timeText(program.createdAtMs)],
  ]);
  return {
    document: {
      ...programDocument(program),
      clients: documentOf(clients),
      suspensions: documentOf(suspensions),
    },
    text: `${known}\n${suspensionTable(suspensions)}${clientTable(clients)}`,
  };
}

const suspend = suspending('programId', {
  suspend: (context, programId, terms) => suspendProgram(context, { programId, ...terms }),
  words: 'Suspended: no token of its clients is accepted any more.',
});

const reactivate = reactivating('programId', {
  reactivate: (context, programId, terms) => reactivateProgram(context, { programId, ...terms }),
  words: 'Reactivated: its clients may get new tokens; the earlier ones stay dead.',
});

function stateOf({ suspended }: ProgramRecord): string {
  return suspended ? 'suspended' : 'active';
}

function programDocument(program: ProgramRecord): object {
  return { ...(documentOf(program) as object), state: stateOf(program) };
}

export const PROGRAM_COMMANDS: readonly Command[] = [
  {
    path: ['program', 'create'],
    summary: 'Take in a partner program.',
    positionals: [{ name: 'NAME', doc: 'Name of the partner business.' }],
    examples: ["countersign program create 'Example Fintech'"],
    changes: true,
    run: create,
  },
  {
    path: ['program', 'list'],
    summary: 'List the programs.',
    examples: ['countersign program list'],
    run: listAll,
  },
  {
    path: ['program', 'show'],
    summary: 'Show a program and its clients.',
    positionals: [ID],
    examples: ['countersign program show program_8fYk2LmQ9aXc4TzR'],
    run: show,
  },
  {
    path: ['program', 'suspend'],
    summary: 'Stop a program: none of its tokens is accepted once the receipt is printed.',
    about:
      'The receipt says which nodes confirmed, in how many ms, and which were written off. Asked again, it is the receipt of\n' +
      'the first suspension; with another reason or end it is one more suspension, and the program works again when all have\n' +
      'ended. Reactivating allows new tokens only.',
    positionals: [ID],
    options: SUSPEND_OPTIONS,
    examples: [
      "countersign program suspend program_8fYk2LmQ9aXc4TzR --reason 'secret found in a public repository'",
    ],
    changes: true,
    run: suspend,
  },
  {
    path: ['program', 'reactivate'],
    summary: 'Let a suspended program work again, with new tokens only.',
    positionals: [ID],
    options: REACTIVATE_OPTIONS,
    examples: ['countersign program reactivate program_8fYk2LmQ9aXc4TzR'],
    changes: true,
    run: reactivate,
  },
];
