/** By which code a system, or a client of it, names why something failed, such as `ECONNREFUSED`; empty where none does. */
export const systemCodeOf = (cause: unknown): string => {
  if (typeof cause !== "object" || cause === null) return ""
  if ("code" in cause && typeof cause.code === "string") return cause.code
  // Several addresses were tried: the errors of all of them stand in one.
  if (cause instanceof AggregateError) return systemCodeOf(cause.errors[0])
  return "cause" in cause ? systemCodeOf(cause.cause) : ""
}
