/** Every bound of a listener, with its unit and why it has that value. Nothing here knows a route. */

export type HttpLimits = {
  /** A token request has some 250 bytes; a private-key assertion a few thousand. */
  readonly bodyBytesMax: number;
  /** Requests at once to routes whose bodies may be longer than that, as nobody knows yet who sends them. */
  readonly longBodiesMax: number;
  readonly headerBytesMax: number;
  /** From a request's first byte to its last: whoever is slower gets 408. */
  readonly arrivalMsMax: number;
  /** Longer than the idle limit of common proxies (60 s), so that they close first and never race. */
  readonly keepAliveMs: number;
  /** How long a peer may leave its answers unread; it is cut within twice that. */
  readonly unreadMsMax: number;
  /** Requests being decided at once; more are told to come back. */
  readonly inFlightMax: number;
  /**
   * How long requests may be begun in one turn of the event loop; more wait for the next. What stops a leak is heard between two turns:
   * were a turn as long as its queue, an overload would hold up suspensions.
   */
  readonly turnMsMax: number;
  /** Requests that are decided together and then answered, whatever the time: one pause of the machine is no overload. */
  readonly togetherMax: number;
  /** Requests that wait for a turn, as a burst does; more are told to come back. */
  readonly waitingMax: number;
  /** The same once somebody was refused, until the event loop rests again. */
  readonly standingMax: number;
  /**
   * When half of those who find no room may come back, in whole seconds; the others a second later. Who does so earlier than all of
   * them is not read for 1.5 to 2.5 times as long.
   */
  readonly comeBackMs: number;
  readonly connectionsMax: number;
  /** Connections that the kernel keeps until they are accepted; beyond, a burst of callers is dropped and tries again for seconds. */
  readonly backlog: number;
  /** How long `close()` waits for answers under way. */
  readonly drainMsMax: number;
  /** How long, and for how much, a refused sender is still listened to, so that it can read why. */
  readonly lingerMsMax: number;
  readonly lingerBytesMax: number;
};

export const HTTP_LIMITS: HttpLimits = {
  bodyBytesMax: 8 * 1024,
  longBodiesMax: 32,
  headerBytesMax: 16 * 1024,
  arrivalMsMax: 10_000,
  keepAliveMs: 72_000,
  unreadMsMax: 30_000,
  inFlightMax: 1_024,
  turnMsMax: 20,
  togetherMax: 64,
  waitingMax: 2_048,
  standingMax: 128,
  comeBackMs: 2_000,
  connectionsMax: 10_000,
  backlog: 4_096,
  drainMsMax: 10_000,
  lingerMsMax: 500,
  lingerBytesMax: 2 * 1024 * 1024,
};

/** How often Node looks for late requests: a late one is noticed at most a tenth late, and not above a second. */
export function lateCheckMs(limits: HttpLimits): number {
  return Math.min(1_000, Math.max(20, Math.floor(limits.arrivalMsMax / 10)));
}
