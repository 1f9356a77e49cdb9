import type { Started } from "../domain/LlmEvent.ts"
import { present } from "../domain/present.ts"

/** What a provider may say of its answer when it begins; whatever is not of the right kind counts as unsaid. */
interface Head {
  readonly id?: unknown
  readonly model?: unknown
  /** seconds since the epoch, or a date */
  readonly created?: unknown
  readonly serviceTier?: unknown
}

/** The beginning of an answer. An id or a model that is not told is empty. */
export const startedOf = ({ id, model, created, serviceTier }: Head): Started => ({
  _tag: "Started",
  id: textOf(id) ?? "",
  model: textOf(model) ?? "",
  ...present({ created: secondsOf(created), serviceTier: textOf(serviceTier) })
})

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const secondsOf = (moment: unknown): number | undefined => {
  const seconds = typeof moment === "string" ? Date.parse(moment) / 1000 : moment
  return typeof seconds === "number" && seconds >= 0 ? Math.floor(seconds) : undefined
}
