/** How something leaves for outside: a message to a URL, records to a file. What it is, only the sender knows. */

export type Message = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Delivered = {
  readonly status: number;
  /** How long the receiver asks to be left alone. */
  readonly retryAfterMs?: number;
};

export type Deliveries = {
  /** Posts a message and resolves to how it was answered; rejects, with no more than a cause, when it was not. */
  post(message: Message, end?: AbortSignal): Promise<Delivered>;
  /** Appends records that are not at the file's end yet, and what a new file begins with; on the disk when it resolves. */
  append(
    file: URL,
    batch: { readonly head: string; readonly records: readonly string[] },
  ): Promise<void>;
};
