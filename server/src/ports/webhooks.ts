/** Whom the audit trail is told to, and how far: a row a webhook. Knows no network. */

export type WebhookRow = {
  readonly webhookId: string;
  /** An https: URL (http: on this machine), or a file: URL. */
  readonly target: string;
  /** Every line of the trail with its checkpoints, or what people must be told of. */
  readonly sends: 'audit' | 'notices';
  /** Only notices about this program. */
  readonly programId?: string;
  /** The secret that its messages are signed with, wrapped under the master key; a file has none. */
  readonly wrapped?: string;
  /** The last line that was delivered, or was not for it. */
  readonly cursor: number;
  /** Line of the last checkpoint that was delivered. */
  readonly checkpointCursor: number;
  /** It answered that it is gone, or a restore switched it off: nothing is sent until it is resumed. */
  readonly disabled: boolean;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly deliveredAtMs?: number;
  /** Attempts in a row that failed, why the last one did, and before when there is no other. */
  readonly failures: number;
  readonly nextTryAtMs: number;
  readonly problem?: string;
};

export type Cursors = Pick<WebhookRow, 'webhookId' | 'cursor' | 'checkpointCursor'>;

export type Webhooks = {
  list(filter?: { readonly webhookId?: string }): Promise<readonly WebhookRow[]>;
  /** Moves on from where it was seen to stand. False: somebody else has moved it, or it is gone. */
  advance(move: {
    readonly from: Cursors;
    readonly to: Omit<Cursors, 'webhookId'>;
    /** When something was delivered; left out, there was nothing for it. */
    readonly deliveredAtMs?: number;
  }): Promise<boolean>;
  /** Notes a failed attempt at what comes after `from`. */
  failed(failure: {
    readonly from: Cursors;
    readonly problem: string;
    readonly nextTryAtMs: number;
  }): Promise<void>;
};

/** How there comes to be a webhook, and how it ends. */
export type WebhookChange =
  | {
      readonly kind: 'webhook.create';
      readonly webhookId: string;
      readonly target: string;
      readonly sends: 'audit' | 'notices';
      readonly programId?: string;
      readonly wrapped?: string;
      readonly masterKeyCheck: string;
      /** What is told begins after this line of the audit trail. */
      readonly after: number;
    }
  | { readonly kind: 'webhook.delete'; readonly webhookId: string }
  /** Goes on, after the last line that was heard, though the receiver had said that it is gone or a restore switched it off. */
  | { readonly kind: 'webhook.resume'; readonly webhookId: string }
  /** The receiver has said that it is gone. */
  | { readonly kind: 'webhook.disable'; readonly webhookId: string; readonly reason: string };
