import { z } from "zod"
import type { Asking } from "../../../scripts/formats/requests.ts"

/** Where an SDK is pointed at. */
export interface Place {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
}

/** What a conversation is held about, in the words of no SDK. */
export interface Question {
  readonly model: string
  readonly streamed: boolean
  /** whether the tools of `toolFields` are offered */
  readonly tools?: boolean
  /** whether answers are to be a `Trip` */
  readonly trip?: boolean
  readonly limit?: number
}

export interface Call {
  readonly id: string
  readonly name: string
  readonly input: unknown
}

/** What a user says: a text, perhaps about a picture (a data URL), or what the tools that were called answered. */
export type Turn =
  | { readonly text: string; readonly picture?: string }
  | { readonly results: ReadonlyArray<{ readonly call: Call; readonly output: string }> }

/** What an SDK made of an answer. */
export interface Heard {
  readonly text: string
  readonly reasoning: string
  readonly calls: ReadonlyArray<Call>
  /** in the SDK's word */
  readonly ending: string | null | undefined
  readonly usage: readonly [input: number | undefined, output: number | undefined]
  /** the `Trip` that it was asked for, where the SDK reads it */
  readonly trip?: unknown
}

export interface Control {
  readonly signal?: AbortSignal
  /** told of every piece of text as it comes, where the answer is a stream */
  readonly onText?: (text: string) => void
}

/** The turns of one conversation, whose history the SDK's user keeps. */
export interface Conversation {
  readonly ask: (turn: Turn, control?: Control) => Promise<Heard>
}

/** An SDK as its users use it. */
export interface Client {
  readonly name: string
  readonly asking: Asking
  /** what it calls the three endings that every API has */
  readonly endings: { readonly stop: string; readonly length: string; readonly tools: string }
  /** whether it shows its users what was thought */
  readonly reasons: boolean
  /** whether the proofs of what was thought come back with the next turn */
  readonly proves: boolean
  /** whether what a provider said of a call comes back with the next turn: the signature that it wants back */
  readonly signs: boolean
  /** whether it knows how large a streamed answer's input was from the beginning of the stream alone */
  readonly countsAtStart?: boolean
  readonly converse: (place: Place, question: Question) => Conversation
}

/** What the structured answers are. */
export const Trip = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })

/** `Trip` for those who write schemas by hand. */
export const tripSchema = {
  type: "object",
  properties: {
    town: { type: "string" },
    nights: { type: "number" },
    guests: { type: "array", items: { type: "string" } }
  },
  required: ["town", "nights", "guests"],
  additionalProperties: false
}

/** The tools that are offered, each with its one field. */
export const toolFields = [
  ["weather", "town"],
  ["clock", "zone"]
] as const

/** The schema of a tool's input. */
export const inputSchema = (field: string) => ({
  type: "object" as const,
  properties: { [field]: { type: "string" as const } },
  required: [field]
})

export const systemPrompt = "Be brief."

/** The media type and the data of a picture. */
export const pictureParts = (picture: string): readonly [mediaType: string, data: string] => {
  const [, mediaType = "", data = ""] = /^data:([^;]+);base64,(.*)$/.exec(picture) ?? []
  return [mediaType, data]
}
