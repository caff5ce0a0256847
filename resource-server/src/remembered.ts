/** Answers about live tokens that may be given again, until the stream says otherwise. Bounded; forgets the oldest first. */

import type { Identity } from './identity.ts';
import type { Question } from './introspection.ts';

/** What a change makes void. */
export type Forget = {
  readonly all?: boolean;
  readonly programs?: readonly string[];
  readonly clients?: readonly string[];
  readonly tokens?: readonly string[];
};

export type Remembered = {
  get(question: Question, nowMs: number): Identity | undefined;
  put(question: Question, identity: Identity, endsMs: number): void;
  forget(what: Forget): void;
};

const ANSWERS_MAX = 10_000;

export function newRemembered(): Remembered {
  const answers = new Map<string, { readonly identity: Identity; readonly endsMs: number }>();
  return {
    get: (question, nowMs) => {
      const key = keyOf(question);
      const found = answers.get(key);
      if (found === undefined || nowMs < found.endsMs) return found?.identity;
      answers.delete(key);
      return undefined;
    },
    put: (question, identity, endsMs) => {
      const key = keyOf(question);
      answers.delete(key);
      if (answers.size >= ANSWERS_MAX) {
        for (const oldest of answers.keys()) {
          answers.delete(oldest);
          break;
        }
      }
      answers.set(key, { identity, endsMs });
    },
    forget: ({ all = false, programs = [], clients = [], tokens = [] }) => {
      if (all) return answers.clear();
      const gone = new Set([...programs, ...clients, ...tokens]);
      for (const [key, { identity }] of answers) {
        const { programId, clientId, tokenId } = identity;
        if (gone.has(programId) || gone.has(clientId) || gone.has(tokenId)) answers.delete(key);
      }
    },
  };
}

/** A token that is good from one address may not be from another. */
function keyOf({ token, clientIp = '' }: Question): string {
  return `${clientIp} ${token}`;
}
