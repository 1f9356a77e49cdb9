import type { Notices } from "../Notices.ts"

/** A seed as Google's APIs take it, which is of 32 bits: a larger one is made into one of those, always the same. */
export const seedOf = (seed: number | undefined, said: Notices): number | undefined => {
  if (seed === undefined) return undefined
  const fitting = seed | 0
  if (fitting !== seed) said.add("changed", `seed ${seed} is ${fitting}: seeds have 32 bits here`)
  return fitting
}
