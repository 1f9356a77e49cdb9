import { Effect, type Pull } from "effect"

/** A pull that gives `first` and then goes on with `rest`. */
export const startingWith = <A, E>(first: A, rest: Pull.Pull<A, E>): Pull.Pull<A, E> => {
  let begun = false
  return Effect.suspend(() => {
    if (begun) return rest
    begun = true
    return Effect.succeed(first)
  })
}
