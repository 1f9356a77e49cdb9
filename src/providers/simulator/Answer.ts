import type { FinishReason } from "../../domain/LlmEvent.ts"
import type { Sampling } from "../../domain/LlmRequest.ts"

/** A block of an answer before it is timed and cut into deltas. The tokens, joined, are its text. */
export type Piece =
  | { readonly _tag: "Text" | "Refusal"; readonly tokens: ReadonlyArray<string> }
  | { readonly _tag: "Reasoning"; readonly tokens: ReadonlyArray<string>; readonly signature: string }
  | {
      readonly _tag: "ToolCall"
      readonly tokens: ReadonlyArray<string>
      readonly id: string
      readonly name: string
      /** whether the tokens are all of its arguments */
      readonly complete: boolean
    }

/** What a simulated model says, as one choice of an answer. */
export interface Answer {
  readonly pieces: ReadonlyArray<Piece>
  readonly finish: FinishReason
  readonly stopSequence?: string
}

/** Ends the answer before the first stop sequence in its text, and after the most tokens that it may have. */
export const limitAnswer = (answer: Answer, sampling: Sampling): Answer =>
  cutAtTokens(cutAtStop(answer, sampling.stopSequences ?? []), sampling.maxOutputTokens)

const cutAtStop = (answer: Answer, stops: ReadonlyArray<string>): Answer => {
  const wanted = stops.filter((stop) => stop !== "")
  if (wanted.length === 0) return answer
  for (const [index, piece] of answer.pieces.entries()) {
    if (piece._tag !== "Text") continue
    const text = piece.tokens.join("")
    const hits = wanted.flatMap((stop) => (text.includes(stop) ? [{ stop, at: text.indexOf(stop) }] : []))
    const [first] = hits.toSorted((left, right) => left.at - right.at)
    if (first === undefined) continue
    const cut: Piece = { _tag: "Text", tokens: takeCharacters(piece.tokens, first.at) }
    return { pieces: [...answer.pieces.slice(0, index), cut], finish: "stop", stopSequence: first.stop }
  }
  return answer
}

const takeCharacters = (tokens: ReadonlyArray<string>, length: number): ReadonlyArray<string> => {
  const taken: Array<string> = []
  let left = length
  for (const token of tokens) {
    if (left <= 0) break
    taken.push(token.slice(0, left))
    left -= token.length
  }
  return taken
}

const cutAtTokens = (answer: Answer, most: number | undefined): Answer => {
  if (most === undefined || countAnswer(answer).total <= most) return answer
  const pieces: Array<Piece> = []
  let left = most
  for (const piece of answer.pieces) {
    if (left <= 0) break
    const tokens = piece.tokens.slice(0, left)
    const whole = tokens.length === piece.tokens.length
    pieces.push(piece._tag === "ToolCall" ? { ...piece, tokens, complete: whole } : { ...piece, tokens })
    left -= tokens.length
  }
  return { pieces, finish: "length" }
}

/** The tokens of an answer: all, and those of them that are reasoning. */
export const countAnswer = (answer: Answer): { readonly total: number; readonly reasoning: number } => {
  let total = 0
  let reasoning = 0
  for (const piece of answer.pieces) {
    total += piece.tokens.length
    if (piece._tag === "Reasoning") reasoning += piece.tokens.length
  }
  return { total, reasoning }
}
