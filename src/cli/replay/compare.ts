import type { FilterFailure, Finding } from "../../domain/Call.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import type { LlmResponse, ResponsePart } from "../../domain/LlmResponse.ts"
import type { Outcome } from "../../domain/Outcome.ts"
import type { Signal } from "../../signals/Signal.ts"
import type { Recording, Recordings, Skipped } from "./Recording.ts"
import type { Replayed } from "./run.ts"

/** Something that would have been otherwise; one side is absent where there was nothing. */
export interface Difference {
  readonly what:
    | "outcome"
    | "request"
    | "answer"
    | "finding"
    | "failure"
    | "signal"
    | "quality"
    | "firstTokenMs"
    | "totalMs"
  readonly before?: string
  readonly after?: string
}

/** A call that would have gone otherwise. `openedAt` is epoch milliseconds. */
export interface ChangedCall {
  readonly id: string
  readonly openedAt: number
  readonly model: string
  readonly differences: ReadonlyArray<Difference>
}

/** What a changed configuration would have made of recorded calls. */
export interface Comparison {
  readonly replayed: number
  readonly changed: ReadonlyArray<ChangedCall>
  readonly skipped: ReadonlyArray<Skipped>
}

/** An outcome in a few words. */
const outcomeText = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Completed":
      return `Completed (${outcome.finish})`
    case "Refused":
      return `Refused by ${outcome.by}: ${outcome.reason}`
    case "HandedOff":
      return `HandedOff to ${outcome.target}`
    case "Limited":
      return outcome.filter === undefined
        ? `Limited by ${outcome.by}`
        : `Limited by ${outcome.filter}${outcome.reason === undefined ? "" : `: ${outcome.reason}`}`
    case "Cancelled":
      return `Cancelled by ${outcome.by}`
    case "Failed":
      return `Failed, ${outcome.reason._tag}: ${outcome.message}`
    case "Interrupted":
      return "Interrupted"
  }
}

const partText = (part: ResponsePart): string => {
  switch (part._tag) {
    case "Text":
      return part.text
    case "Reasoning":
      return `<reasoning>${part.text}</reasoning>`
    case "Refusal":
      return `<refusal>${part.text}</refusal>`
    case "ToolCall":
      return `<call ${part.name}>${part.arguments}</call>`
    case "ToolResult":
    case "Opaque":
      return JSON.stringify(part.value)
    case "Media":
      return `<${part.mediaType}, ${part.data.length} characters>`
  }
}

const answerText = (response: LlmResponse | undefined): string =>
  (response?.choices ?? []).map(({ parts }) => parts.map(partText).join("\n")).join("\n---\n")

const requestText = (request: LlmRequest | undefined): string =>
  request === undefined
    ? ""
    : [
        `model ${request.model}`,
        ...request.messages.map(({ parts, role }) => {
          const said = parts.map((part) => (part._tag === "Text" ? part.text : JSON.stringify(part)))
          return `${role}: ${said.join("\n")}`
        })
      ].join("\n")

const findingText = ({ action, category, filter, phase, severity }: Finding): string =>
  `${category} by ${filter} in the ${phase} (${severity}, ${action})`

const failureText = ({ filter, kind, phase, policy, times }: FilterFailure & { readonly times: number }): string =>
  `${kind} of ${filter} in the ${phase}${times === 1 ? "" : `, ${times} times`} (${policy})`

const signalText = ({ message, type }: Signal): string => `${type} at message ${message}`

const single = (what: Difference["what"], before: string, after: string): ReadonlyArray<Difference> =>
  before === after ? [] : [{ what, ...(before === "" ? {} : { before }), ...(after === "" ? {} : { after }) }]

/** What only one of two lists has; of what stands in both several times, the surplus. */
const surplus = (
  what: Difference["what"],
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>
): ReadonlyArray<Difference> => {
  const left = [...after]
  const gone = before.filter((text) => {
    const at = left.indexOf(text)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return [...gone.map((text) => ({ what, before: text })), ...left.map((text) => ({ what, after: text }))]
}

const millis = (value: number | undefined): string => (value === undefined ? "" : String(Math.round(value)))

const differencesOf = (before: Replayed | undefined, after: Replayed | undefined): ReadonlyArray<Difference> => {
  const [one, other] = [before?.record, after?.record]
  return [
    ...single(
      "outcome",
      one === undefined ? "" : outcomeText(one.outcome),
      other === undefined ? "" : outcomeText(other.outcome)
    ),
    ...single("request", requestText(before?.asked), requestText(after?.asked)),
    ...single("answer", answerText(one?.response), answerText(other?.response)),
    ...surplus("finding", (one?.findings ?? []).map(findingText), (other?.findings ?? []).map(findingText)),
    ...surplus("failure", (one?.filterFailures ?? []).map(failureText), (other?.filterFailures ?? []).map(failureText)),
    ...surplus("signal", (before?.signals ?? []).map(signalText), (after?.signals ?? []).map(signalText)),
    ...single("quality", before?.quality ?? "", after?.quality ?? ""),
    ...single("firstTokenMs", millis(one?.firstTokenMs), millis(other?.firstTokenMs)),
    ...single("totalMs", millis(one?.totalMs), millis(other?.totalMs))
  ]
}

/** Compares two replays of the same recordings, in their order. */
export const compare = (
  { recordings, skipped }: Recordings,
  before: ReadonlyMap<string, Replayed>,
  after: ReadonlyMap<string, Replayed>
): Comparison => ({
  replayed: recordings.length,
  changed: recordings.flatMap(({ call, id, openedAt }: Recording) => {
    const differences = differencesOf(before.get(id), after.get(id))
    return differences.length === 0 ? [] : [{ id, openedAt, model: call.request.model, differences }]
  }),
  skipped
})
