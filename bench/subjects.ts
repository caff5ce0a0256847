/** What is measured, by name: the bare servers, what each question to Countersign is compared with, and its goals. */

import type { Subject } from './figures.ts';
import type { Runner } from './rounds.ts';
import type { Kind, Target, Targets } from './target.ts';

export const BARE_FORM: Subject = { name: 'bare POST', beside: 'bare POST' };
export const BARE_GET: Subject = { name: 'bare GET', beside: 'bare GET' };

type Question = Subject & { readonly kind: Kind };

/** In the order of the table. */
export const QUESTIONS: readonly Question[] = [
  { kind: 'token', name: 'POST /token', beside: BARE_FORM.name, floor: 0.3, target: 0.5 },
  {
    kind: 'introspect',
    name: 'POST /introspect',
    beside: BARE_FORM.name,
    floor: 0.5,
    target: 0.65,
  },
  { kind: 'verify', name: 'GET /verify', beside: BARE_GET.name, target: 0.75 },
];

/** Goals, be they none, are Countersign's alone. */
export type Other = {
  readonly name: string;
  readonly goals?: Readonly<Partial<Record<Kind, number>>>;
};

/** What a server is asked. One of another name has goals of its own, or none. */
export function runnersOf(
  server: { readonly targets: Targets; readonly pids: readonly number[] },
  other?: Other,
): readonly Runner[] {
  return QUESTIONS.flatMap(({ kind, ...subject }) => {
    const target = server.targets[kind];
    if (target === undefined) return [];
    return [{ subject: renamed(subject, kind, other), target, pids: server.pids }];
  });
}

function renamed(subject: Subject, kind: Kind, other: Other | undefined): Subject {
  if (other === undefined) return subject;
  const { goals } = other;
  const target = goals?.[kind];
  return {
    name: `${subject.name}, ${other.name}`,
    beside: subject.beside,
    ...(goals === undefined && { isPeer: true as const }),
    ...(target !== undefined && { target }),
  };
}

/** The bare server's two answers. */
export function bareRunners(bare: {
  readonly pid: number;
  readonly form: Target;
  readonly get: Target;
}): readonly Runner[] {
  const pids = [bare.pid];
  return [
    { subject: BARE_FORM, target: bare.form, pids },
    { subject: BARE_GET, target: bare.get, pids },
  ];
}
