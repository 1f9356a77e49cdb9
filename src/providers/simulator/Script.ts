import type { GeneratedLogprob, LlmEvent } from "../../domain/LlmEvent.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import type { Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import { isJsonObject } from "../../protocols/ToolArguments.ts"
import { countAnswer, type Answer, type Piece } from "./Answer.ts"
import { answersOf } from "./Models.ts"
import type { SimulatedModel } from "./ModelName.ts"
import type { Options } from "./Options.ts"
import { hash, seeded } from "./Seeded.ts"
import { countPrompt, isContinued, tokensOf } from "./Tokens.ts"

/** Events that come together, after a wait in milliseconds. */
export interface Step {
  readonly waitMs: number
  readonly events: ReadonlyArray<LlmEvent>
}

/**
 * What a simulated answer does, as data: a wait, then steps. The first step has no content, the last one is `Finish`
 * alone, and each step between them holds exactly one piece of content.
 */
export interface Script {
  readonly headMs: number
  readonly steps: ReadonlyArray<Step>
}

/** What an answer says of itself; `created` is in seconds since the epoch. */
export interface Identity {
  readonly id: string
  readonly model: string
  readonly created: number
}

/** Who signs what simulated models thought. No provider is called so: callers get it sealed, as any proof of another's. */
export const simulatedOrigin = "simulator"

const defaultPaceMs: Partial<Record<SimulatedModel["base"], number>> = { words: 20, think: 20 }

/** The script of a model's answer to a request: a pure function, the same for the same arguments. */
export const scriptOf = (model: SimulatedModel, request: LlmRequest, identity: Identity): Script => {
  const paceMs = model.options.paceMs ?? defaultPaceMs[model.base]
  return scriptOfAnswers(answersOf(model, request), { ...model.options, paceMs }, request, identity)
}

/** The script of given answers, one for each choice; the request says what is counted and what is shown. */
export const scriptOfAnswers = (
  answers: ReadonlyArray<Answer>,
  options: Pick<Options, "headMs" | "firstMs" | "paceMs" | "chunk">,
  request: LlmRequest,
  identity: Identity
): Script => {
  const usage = usageOf(request, answers)
  const content = interleave(answers.map((answer, choice) => contentOf(answer, choice, options.chunk, request)))
  const { headMs, firstMs = 0, paceMs = 0 } = options
  const { outputTokens: _, reasoningTokens: __, ...prompt } = usage
  return {
    headMs,
    steps: [
      {
        waitMs: 0,
        events: [
          { _tag: "Started", ...identity },
          { _tag: "UsageReported", usage: prompt }
        ]
      },
      ...content.map((events, index) => ({ waitMs: index === 0 ? firstMs : paceMs, events })),
      { waitMs: 0, events: endingOf(answers, usage) }
    ]
  }
}

/**
 * How long a whole answer takes, in milliseconds: the time of the stream where a pace was expressly asked for, else only
 * the wait for the first token, if one was asked for.
 */
export const wholeWaitMs = (script: Script, { firstMs = 0, paceMs }: Pick<Options, "firstMs" | "paceMs">): number =>
  paceMs === undefined ? firstMs : script.steps.reduce((sum, step) => sum + step.waitMs, 0)

const usageOf = (request: LlmRequest, answers: ReadonlyArray<Answer>): Usage => {
  const { total, marked } = countPrompt(request)
  const counts = answers.map(countAnswer)
  const reasoningTokens = counts.reduce((sum, count) => sum + count.reasoning, 0)
  return {
    inputTokens: total,
    outputTokens: counts.reduce((sum, count) => sum + count.total, 0),
    ...(reasoningTokens === 0 ? {} : { reasoningTokens }),
    // A conversation that goes on finds in the cache what its first turn put there.
    ...(marked === 0 ? {} : isContinued(request.messages) ? { cachedTokens: marked } : { cacheWriteTokens: marked }),
    source: "provider"
  }
}

const endingOf = (answers: ReadonlyArray<Answer>, usage: Usage): ReadonlyArray<LlmEvent> => [
  ...answers
    .slice(1)
    .map((answer, index): LlmEvent => ({ _tag: "ChoiceFinish", choice: index + 1, reason: answer.finish })),
  {
    _tag: "Finish",
    reason: answers[0]?.finish ?? "stop",
    ...(answers[0]?.stopSequence === undefined ? {} : { stopSequence: answers[0].stopSequence }),
    usage
  }
]

/** Several choices speak in turn, as they do where they are computed side by side. */
const interleave = <A>(lists: ReadonlyArray<ReadonlyArray<A>>): ReadonlyArray<A> => {
  const [only] = lists
  if (lists.length === 1 && only !== undefined) return only
  const longest = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat()
}

type Events = ReadonlyArray<LlmEvent>

/** The events of one choice, a list for every piece of content. */
const contentOf = (answer: Answer, choice: number, chunk: number, request: LlmRequest): ReadonlyArray<Events> =>
  answer.pieces.flatMap((piece, index) => {
    const place = choice === 0 ? {} : { choice }
    const block = { id: piece._tag === "ToolCall" ? `${piece.id}` : `block-${choice}-${index}`, ...place }
    const chunks = chunksOf(piece.tokens, chunk)
    return chunks.map((tokens, at) => [
      ...(at === 0 ? opening(piece, block) : []),
      delta(piece, block, tokens, request),
      ...(at === chunks.length - 1 ? closing(piece, block) : [])
    ])
  })

const chunksOf = (tokens: ReadonlyArray<string>, size: number): ReadonlyArray<ReadonlyArray<string>> => {
  const chunks: Array<ReadonlyArray<string>> = []
  for (let from = 0; from < tokens.length; from += size) chunks.push(tokens.slice(from, from + size))
  return chunks
}

interface Block {
  readonly id: string
  readonly choice?: number
}

const opening = (piece: Piece, block: Block): Events => {
  switch (piece._tag) {
    case "Text":
      return [{ _tag: "TextStart", ...block }]
    case "Reasoning":
      return [{ _tag: "ReasoningStart", ...block }]
    case "ToolCall":
      return [{ _tag: "ToolInputStart", ...block, name: piece.name }]
    case "Refusal":
      return []
  }
}

const delta = (piece: Piece, block: Block, tokens: ReadonlyArray<string>, request: LlmRequest): LlmEvent => {
  const text = tokens.join("")
  switch (piece._tag) {
    case "Text":
      return request.sampling.logprobs === true
        ? { _tag: "TextDelta", ...block, text, logprobs: logprobsOf(tokens, request.sampling.topLogprobs ?? 0) }
        : { _tag: "TextDelta", ...block, text }
    case "Reasoning":
      return { _tag: "ReasoningDelta", ...block, text }
    case "ToolCall":
      return { _tag: "ToolInputDelta", ...block, text }
    case "Refusal":
      return { _tag: "RefusalDelta", ...present({ choice: block.choice }), text }
  }
}

const closing = (piece: Piece, block: Block): Events => {
  switch (piece._tag) {
    case "Text":
      return [{ _tag: "TextEnd", ...block }]
    case "Reasoning":
      return [{ _tag: "ReasoningEnd", ...block, signature: piece.signature, origin: simulatedOrigin }]
    case "ToolCall": {
      const text = piece.tokens.join("")
      const valid = piece.complete && isJsonObject(text)
      return [
        { _tag: "ToolInputEnd", ...block },
        { _tag: "ToolCall", ...block, name: piece.name, arguments: text, valid }
      ]
    }
    case "Refusal":
      return []
  }
}

const utf8 = new TextEncoder()

/** Log probabilities that follow from the tokens: the token itself first, made-up ones below it. */
const logprobsOf = (tokens: ReadonlyArray<string>, top: number): ReadonlyArray<GeneratedLogprob> =>
  tokens.map((token) => {
    const random = seeded(hash(token))
    const rank = (text: string, logprob: number) => ({ token: text, logprob, bytes: [...utf8.encode(text)] })
    const best = rank(token, -0.01 - Math.round(random() * 100) / 1000)
    const others = Array.from({ length: Math.max(0, top - 1) }, (_, index) =>
      rank(`${tokensOf(token)[0] ?? token}${"~".repeat(index + 1)}`, best.logprob - index - 1)
    )
    return { ...best, top: top === 0 ? [] : [best, ...others] }
  })
