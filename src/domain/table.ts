/**
 * A table that is looked up by what callers and providers said: it has what is written in it, and nothing of what every
 * object has by itself (`constructor`, `__proto__`).
 */
export const table = <T extends object>(entries: T): T =>
  // What it is given, as which it goes on.
  Object.setPrototypeOf(entries, null) as T
