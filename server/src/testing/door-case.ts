/** What a case of the doors is: a command and a request that mean the same, on what was made for them. */

import type { OperationContext } from '../operations/context.ts';

/** What stands on the store of a door, and was made for this one case. */
export type Given = {
  readonly context: OperationContext;
  /** Base URL of the public listener of the server on this store. */
  readonly url: string;
  /** Where a webhook may point: somebody listens there. */
  readonly hook: string;
  /** A path that nothing stands at. */
  readonly file: string;
  readonly programId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secretId: string;
};

type Asked = { readonly request: string; readonly body?: unknown };

/** A command and a request that mean the same. */
export type BothWays = { readonly argv: readonly string[] } & Asked;

export type DoorCase = {
  /** Path of the command in its table, and operation of the row in the other. */
  readonly command: string;
  readonly operation: string;
  /** Leaves these actions in the trail; left out, none: it only reads. */
  readonly leaves?: readonly string[];
  /** May say no for a reason of the machine it runs on. */
  readonly mayComplain?: true;
  readonly ways: (given: Given) => BothWays | Promise<BothWays>;
};

/** Recorded once every node has acknowledged a change. */
export const RECEIPT = 'receipt';
export const REASON = 'pushed to a public repository';
