/** The service's own secrets, read anew for each question, so that a rotation needs no restart. */

/** A secret, several (the newest first), or a function that returns either. */
export type SecretSource =
  | string
  | readonly string[]
  | (() => string | readonly string[] | Promise<string | readonly string[]>);

/** Secrets tried for one question: the new one and the old one of a rotation, and one to spare. */
const SECRETS_MAX = 3;
/** Between two tries when all were refused: more would only count against the client's attempts. */
const REFUSED_PAUSE_MS = 1_000;

export type Secrets = {
  /** The secrets to try in turn, the one that worked last before all others; none: all were refused a moment ago. */
  readonly read: () => Promise<readonly string[]>;
  readonly worked: (secret: string) => void;
  readonly refused: () => void;
};

export function newSecrets(source: SecretSource, nowMs: () => number): Secrets {
  let last: string | undefined;
  let refusedMs = Number.NEGATIVE_INFINITY;
  return {
    read: async () => {
      if (nowMs() - refusedMs < REFUSED_PAUSE_MS) return [];
      const given = typeof source === 'function' ? await source() : source;
      const list = [given].flat().filter((one) => one !== '');
      const first = list.filter((one) => one === last);
      return [...new Set([...first, ...list])].slice(0, SECRETS_MAX);
    },
    worked: (secret) => {
      last = secret;
    },
    refused: () => {
      refusedMs = nowMs();
    },
  };
}
