/** Server-sent events (WHATWG HTML §9.2) out of a body, one after the other. Knows no event by name. */

export type ServerEvent = {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
};

/** Far above any event of the authority. */
const EVENT_LENGTH_MAX = 64 * 1024;

/** Reads until the body ends. Throws when it breaks off, or when an event is far too long. */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end === -1) break;
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== undefined) yield event;
    }
    if (text.length > EVENT_LENGTH_MAX) throw new Error('an event is far too long');
  }
}

function eventOf(block: string): ServerEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    fields.set(name, value);
  }
  const [event, data] = [fields.get('event'), fields.get('data')];
  return event === undefined || data === undefined
    ? undefined
    : { event, id: fields.get('id'), data };
}
