import type { Dialect, RenderContext } from "../../src/protocols/Dialect.ts"
import { formats, type FormatName } from "../../src/providers/formats.ts"
import { allSurfaces } from "../../src/protocols/surfaces.ts"
import { answerFeatures, plainestAnswer } from "./answers.ts"
import { judgeAnswer, judgeRequest, type RequestProbe, type Verdict } from "./probe.ts"
import { contentFeatures } from "./content-features.ts"
import { plainest, type Asking, type RequestFeature } from "./requests.ts"
import { settingFeatures } from "./setting-features.ts"
import { toolFeatures } from "./tool-features.ts"
import { nextRequest, turnFeatures } from "./turns.ts"

/** The models that the requests are asked of: what a format can say depends on the model in a few places. */
export const models: { readonly [name in FormatName]: string } = {
  "openai-chat": "gpt-5.5",
  "openai-responses": "gpt-5.5",
  "anthropic-messages": "claude-sonnet-4-5",
  gemini: "gemini-2.5-pro",
  "gemini-interactions": "gemini-2.5-pro",
  "openai-completions": "gpt-3.5-turbo-instruct",
  "cohere-v2": "command-a-03-2025",
  ollama: "qwen3",
  "bedrock-converse": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "bedrock-invoke-anthropic": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
}

/** One line of a table: what becomes of a feature in each column; undefined where the caller has no words for it. */
export interface Row<Column extends string> {
  readonly name: string
  readonly cells: { readonly [C in Column]?: Verdict }
}

const isAsking = (id: string): id is Asking => id in plainest

/** The dialects by the names of their formats. */
export const dialects: ReadonlyArray<readonly [Asking, Dialect]> = allSurfaces.flatMap(({ dialect }) =>
  isAsking(dialect.id) ? [[dialect.id, dialect] as const] : []
)

/** The kinds of providers. */
export const targets = Object.keys(formats) as ReadonlyArray<FormatName> // the keys of a literal are known

const requestFeatures: ReadonlyArray<RequestFeature> = [...contentFeatures, ...toolFeatures, ...settingFeatures]

/** What becomes of everything that a caller of a dialect can ask for, at each kind of provider. */
export const requestRows = (asking: Asking, dialect: Dialect): ReadonlyArray<Row<FormatName>> => {
  const base = plainest[asking]
  const row = (name: string, probeOf: (target: FormatName) => Omit<RequestProbe, "base">): Row<FormatName> => ({
    name,
    cells: Object.fromEntries(
      targets.map((target) => {
        const { protocol } = formats[target]
        return [target, judgeRequest(dialect, protocol, models[target], { base, ...probeOf(target) })]
      })
    )
  })
  const asked = requestFeatures.flatMap(({ name, asked, ...feature }) => {
    const fields = asked[asking]
    return fields === undefined ? [] : [row(name, () => ({ ...feature, body: { ...base, ...fields } }))]
  })
  const sentBack = turnFeatures.map(({ name, trace, began }) =>
    row(name, (target) => {
      const { fields, notices } = nextRequest(dialect, asking, began(target))
      return { trace, before: notices, body: { ...base, ...fields } }
    })
  )
  return [...asked, ...sentBack]
}

/** Every caller wants the usage that can be had. */
const contextOf = (dialect: string): RenderContext => {
  const body = { stream_options: { include_usage: true } }
  const request = { model: "smart", messages: [], sampling: {} }
  const origin = { protocol: dialect, body, text: JSON.stringify(body), headers: {} }
  return { id: "answer_1", created: 1_800_000_000, request, origin }
}

/** What becomes of everything that an answer can hold, in each dialect; a stream and a whole answer may differ. */
export const answerRows = (delivery: "stream" | "whole"): ReadonlyArray<Row<Asking>> =>
  answerFeatures.map(({ name, trace, events }) => ({
    name,
    cells: Object.fromEntries(
      dialects.map(([id, dialect]) => {
        const [stream, whole] = judgeAnswer(dialect, contextOf(id), plainestAnswer, events(id), trace)
        return [id, delivery === "stream" ? stream : whole]
      })
    )
  }))
