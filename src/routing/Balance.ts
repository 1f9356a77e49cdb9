/** In which order the targets of a model are asked. */
export type Strategy = "ordered" | "weighted" | "random" | "least-latency" | "least-busy"

/** What is known of a target now. */
export interface Load {
  readonly weight: number
  readonly inFlight: number
  /** milliseconds to the first content, 0 where it is not known */
  readonly latency: number
}

type Score = (load: Load, random: number) => number

/** Less is earlier; what is equal is in random order. */
const scores: { readonly [strategy in Exclude<Strategy, "ordered">]: Score } = {
  random: (_, random) => random,
  // The first of the order is drawn by weight, the second by weight among the rest, and so on; a weight of 0 comes last.
  weighted: ({ weight }, random) => (weight > 0 ? -Math.log(1 - random) / weight : Infinity),
  "least-latency": ({ latency, inFlight }) => latency * (inFlight + 1),
  "least-busy": ({ inFlight }) => inFlight
}

/** The targets in the order in which they are to be asked. `random` gives numbers from 0 to 1 (exclusive). */
export const inOrder = <A>(
  strategy: Strategy,
  targets: ReadonlyArray<A>,
  load: (target: A) => Load,
  random: () => number
): ReadonlyArray<A> => {
  if (strategy === "ordered" || targets.length < 2) return targets
  const score = scores[strategy]
  return targets
    .map((target) => ({ target, tie: random(), score: score(load(target), random()) }))
    .toSorted((a, b) => (a.score === b.score ? a.tie - b.tie : a.score - b.score))
    .map(({ target }) => target)
}
