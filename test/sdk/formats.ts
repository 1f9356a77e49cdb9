import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { formatNames, type FormatName } from "../../src/providers/formats.ts"
import { Running, running, type RunningOptions } from "../server/running.ts"
import { Scenario } from "./scenario.ts"

/** A server whose provider speaks one of the formats that a provider can be called by. */
export type AtFormat = Scenario<FormatName>

/** What the API of a provider has words for, and what the simulator behind it can therefore be asked. */
interface Abilities {
  readonly tools: boolean
  readonly thoughts: boolean
  /** thoughts are signed, and taken back so */
  readonly proofs: boolean
  readonly images: boolean
  /** an answer can be held to a schema */
  readonly schemas: boolean
  /** a text can be told at which the answer ends */
  readonly stops: boolean
}

const everything = { tools: true, thoughts: true, proofs: true, images: true, schemas: true, stops: true }
const withoutProofs = { ...everything, proofs: false }

const abilities: { readonly [format in FormatName]: Abilities } = {
  "openai-chat": withoutProofs,
  "openai-responses": { ...everything, stops: false },
  "openai-completions": { tools: false, thoughts: false, proofs: false, images: false, schemas: false, stops: true },
  "anthropic-messages": everything,
  gemini: everything,
  "gemini-interactions": everything,
  "cohere-v2": withoutProofs,
  ollama: withoutProofs,
  // Only some models behind it are held to schemas, and the simulated ones are none of them.
  "bedrock-converse": { ...everything, schemas: false },
  "bedrock-invoke-anthropic": everything
}

/** Whether the provider's API has words for something. */
export const knows = ({ upstream }: AtFormat, ability: keyof Abilities): boolean => abilities[upstream][ability]

/** The proofs of what was thought in the first answer, as the provider gave them. */
export const proofsIn = async (at: AtFormat): Promise<string> => {
  const [first] = await at.records()
  const parts = first?.response?.answer?.choices[0]?.parts ?? []
  return parts.flatMap((part) => (part._tag === "Reasoning" ? [part.signature ?? ""] : [])).join("")
}

type Define = (name: string, body: (at: AtFormat) => Promise<void>) => void

/** Scenarios around one server, each tried with a provider of every format; `where` is for those of one ability. */
export const everywhere = (
  name: string,
  options: RunningOptions,
  define: (scenario: Define, where: (ability: keyof Abilities) => Define) => void
): void =>
  layer(running({ ...options, formats: formatNames }), { excludeTestServices: true })(name, (it) => {
    const at =
      (formats: ReadonlyArray<FormatName>): Define =>
      (name, body) => {
        for (const format of formats) {
          it.effect(`${name}, from ${format}`, () =>
            Effect.gen(function* () {
              const scenario = new Scenario(format, yield* Running)
              yield* Effect.promise(() => scenario.begin())
              yield* Effect.promise(() => body(scenario))
            })
          )
        }
      }
    define(at(formatNames), (ability) => at(formatNames.filter((format) => abilities[format][ability])))
  })
