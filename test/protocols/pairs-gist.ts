import type { FinishReason, LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery } from "../../src/domain/LlmRequest.ts"
import { foldEvents, textOf, type Choice } from "../../src/domain/LlmResponse.ts"
import type { Usage } from "../../src/domain/Usage.ts"

interface Call {
  readonly id: string
  readonly name: string
  readonly arguments: unknown
  readonly valid: boolean
}

interface ChoiceGist {
  readonly index: number
  readonly text: string
  readonly reasoning: string
  readonly refusal: string
  /** text and refusal in the order in which they came, which not every format keeps */
  readonly words: string
  readonly calls: ReadonlyArray<Call>
  readonly finish: FinishReason | undefined
}

/** What every dialect has to say of an answer. */
export interface Gist {
  readonly choices: ReadonlyArray<ChoiceGist>
  readonly usage: Usage
}

const joined = ({ parts }: Choice, tags: ReadonlyArray<Choice["parts"][number]["_tag"]>): string =>
  parts.map((part) => (tags.includes(part._tag) && "text" in part ? part.text : "")).join("")

/** The gist of an answer: an answer that never said anything is an empty one. */
export const gistOf = (events: ReadonlyArray<LlmEvent>): Gist => {
  const { choices, usage } = foldEvents(events)
  return {
    usage,
    choices: choices.map((choice) => ({
      index: choice.index,
      text: textOf(choice),
      reasoning: joined(choice, ["Reasoning"]),
      refusal: joined(choice, ["Refusal"]),
      words: joined(choice, ["Text", "Refusal"]),
      calls: choice.parts.flatMap((part) =>
        part._tag === "ToolCall" && part.providerExecuted !== true
          ? [
              {
                id: part.id,
                name: part.name,
                // White space between the tokens of arguments is not the same in every format.
                arguments: part.valid ? (JSON.parse(part.arguments) as unknown) : part.arguments,
                valid: part.valid
              }
            ]
          : []
      ),
      finish: choice.finish?.reason
    }))
  }
}

/** What a stream that fails could still say: how it would have ended, and what it cost, is told only with the end. */
export const untilFailure = ({ choices }: Gist) =>
  choices
    .map(({ index, text, reasoning, refusal, calls }) => ({ index, text, reasoning, refusal, calls }))
    .filter(({ text, reasoning, refusal, calls }) => text + reasoning + refusal !== "" || calls.length > 0)

/** What of a gist is the same in every dialect that has words for it. */
export const comparable = ({ choices, usage }: Gist) => ({
  usage,
  choices: choices.map((choice) => ({ ...choice, words: undefined }))
})

/** Something that a dialect cannot say as it is. */
export interface Difference {
  readonly why: string
  /** how a notice tells of it; absent where the caller loses nothing by it */
  readonly notice?: string
  readonly delivery?: Delivery
  readonly applies: (gist: Gist) => boolean
  readonly inWords: (gist: Gist) => Gist
}

const some = (is: (choice: ChoiceGist) => boolean) => (gist: Gist) => gist.choices.some(is)
const each =
  (inWords: (choice: ChoiceGist) => ChoiceGist) =>
  (gist: Gist): Gist => ({ ...gist, choices: gist.choices.map(inWords) })
const counting =
  (inWords: (usage: Usage) => Usage) =>
  (gist: Gist): Gist => ({ ...gist, usage: inWords(gist.usage) })

const endingAs = (from: FinishReason, to: FinishReason, word: string): Difference => ({
  why: `an ending ${from} has no word of its own`,
  notice: `the finish reason ${from} is ${word}`,
  applies: some(({ finish, refusal }) => finish === from && refusal === ""),
  inWords: each((choice) => (choice.finish === from ? { ...choice, finish: to } : choice))
})

const firstChoiceOnly: Difference = {
  why: "there is one answer to a question",
  notice: "choices after the first",
  applies: some(({ index }) => index > 0),
  inWords: (gist) => ({ ...gist, choices: gist.choices.filter(({ index }) => index === 0) })
}

const refusalIsText = (ending: FinishReason): Difference => ({
  why: "a refusal is text, and told by the ending",
  notice: "a refusal is text",
  applies: some(({ refusal }) => refusal !== ""),
  inWords: each((choice) => {
    if (choice.refusal === "") return choice
    const { finish } = choice
    const told = finish === "stop" || finish === "unknown" || finish === "content-filter" ? ending : finish
    return { ...choice, text: choice.words, refusal: "", finish: told }
  })
})

const totalsStated: Difference = {
  why: "the totals of input and output are always stated",
  applies: ({ usage }) =>
    usage.source !== "none" && (usage.inputTokens === undefined || usage.outputTokens === undefined),
  inWords: counting((usage) => ({ inputTokens: 0, outputTokens: 0, ...usage }))
}

const usageStated: Difference = {
  why: "the usage is always stated",
  applies: ({ usage }) => usage.source === "none",
  inWords: counting(() => ({ inputTokens: 0, outputTokens: 0, source: "provider" }))
}

const detailsStated: Difference = {
  why: "a usage has all of its details",
  applies: ({ usage }) =>
    usage.source !== "none" && [usage.cachedTokens, usage.cacheWriteTokens, usage.reasoningTokens].includes(undefined),
  inWords: counting((usage) => ({ cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, ...usage }))
}

const inputApart: Difference = {
  why: "input is counted beside what came from the cache, so that no provider can have cached more than the input",
  applies: ({ usage: { inputTokens = 0, cachedTokens = 0, cacheWriteTokens = 0 } }) =>
    inputTokens < cachedTokens + cacheWriteTokens,
  inWords: counting((usage) => ({
    ...usage,
    inputTokens: (usage.cachedTokens ?? 0) + (usage.cacheWriteTokens ?? 0)
  }))
}

const outputApart: Difference = {
  why: "output is counted beside the thoughts, so that no provider can have thought more than it put out",
  applies: ({ usage: { outputTokens = 0, reasoningTokens = 0 } }) => outputTokens < reasoningTokens,
  inWords: counting((usage) => ({ ...usage, ...(usage.reasoningTokens && { outputTokens: usage.reasoningTokens }) }))
}

const noCacheWrites: Difference = {
  why: "what was written to the cache is not counted",
  notice: "the count of tokens that were written to the cache",
  applies: ({ usage: { cacheWriteTokens = 0 } }) => cacheWriteTokens > 0,
  inWords: counting((usage) => {
    const { cacheWriteTokens: _, ...counts } = usage
    return counts
  })
}

const noSoundCounts: Difference = {
  why: "the tokens of sound are not counted apart",
  notice: "the count of tokens of sound",
  applies: ({ usage: { audioInputTokens = 0, audioOutputTokens = 0 } }) => audioInputTokens + audioOutputTokens > 0,
  inWords: counting((usage) => {
    const { audioInputTokens: _, audioOutputTokens: __, ...counts } = usage
    return counts
  })
}

const noZeroCacheWrites: Difference = {
  why: "that nothing was written to the cache is not said",
  applies: ({ usage }) => usage.cacheWriteTokens === 0,
  inWords: noCacheWrites.inWords
}

const ofGemini = [refusalIsText("content-filter"), outputApart, noCacheWrites, noZeroCacheWrites]

const allowed: { readonly [speaker: string]: ReadonlyArray<Difference> } = {
  "openai-chat": [endingAs("unknown", "stop", "stop"), totalsStated],
  "openai-responses": [firstChoiceOnly, endingAs("unknown", "stop", "completed"), totalsStated, detailsStated],
  "anthropic-messages": [
    firstChoiceOnly,
    endingAs("unknown", "stop", "end_turn"),
    endingAs("content-filter", "refusal", "refusal"),
    refusalIsText("refusal"),
    usageStated,
    totalsStated,
    inputApart,
    noSoundCounts
  ],
  gemini: ofGemini,
  "gemini as an array": ofGemini
}

/** Everything that a dialect cannot say as it is. */
export const differencesOf = (speaker: string): ReadonlyArray<Difference> => allowed[speaker] ?? []

/** The differences that an answer comes to in a dialect, in order: each is applied to what those before it left. */
export const usedDifferences = (gist: Gist, speaker: string, delivery: Delivery): ReadonlyArray<Difference> => {
  const used: Array<Difference> = []
  let said = gist
  for (const difference of differencesOf(speaker)) {
    if (difference.delivery !== undefined && difference.delivery !== delivery) continue
    if (!difference.applies(said)) continue
    used.push(difference)
    said = difference.inWords(said)
  }
  return used
}

/** A gist in the words that a dialect has for it. */
export const inWordsOf = (gist: Gist, speaker: string, delivery: Delivery): Gist =>
  usedDifferences(gist, speaker, delivery).reduce((said, { inWords }) => inWords(said), gist)
