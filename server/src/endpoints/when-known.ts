/** Continues with a value that is nearly always at hand already: a promise that waits for nothing costs a twentieth of a request. */

/** `next` of the value: at once when it is there, else once it is. */
export function whenKnown<T, U>(
  value: T | Promise<T>,
  next: (value: T) => U | Promise<U>,
): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
