import type { Schema } from "effect"
import type { Notice } from "./Call.ts"
import type { Usage } from "./Usage.ts"

/** What is to be embedded: texts, or sequences of tokens out of the model's own vocabulary. */
export type EmbeddingInput =
  | { readonly _tag: "Texts"; readonly texts: ReadonlyArray<string> }
  | { readonly _tag: "Tokens"; readonly sequences: ReadonlyArray<ReadonlyArray<number>> }

/** A request for vectors, one for each input, in order. */
export interface EmbeddingRequest {
  readonly model: string
  readonly input: EmbeddingInput
  /** how the caller wants to be given a vector: as numbers, or as the base64 of little-endian 32-bit floats */
  readonly encoding: "float" | "base64"
  /** the length of the vectors; the model's own where it is absent */
  readonly dimensions?: number
  readonly user?: string
  /** headers that go to the provider with the request, lower case; those of its configuration have precedence */
  readonly headers?: { readonly [name: string]: string }
  /** what else the caller said, by its names for it: what single providers know (`input_type`, `taskType`) */
  readonly rest: { readonly [name: string]: Schema.Json }
}

/** A vector: numbers, or the base64 of little-endian 32-bit floats where the provider gave that. */
export type Vector = ReadonlyArray<number> | string

/** The vectors of a request, in the order of its inputs. */
export interface EmbeddingAnswer {
  /** the model as the provider names it */
  readonly model: string
  readonly vectors: ReadonlyArray<Vector>
  readonly usage: Usage
  /** what had to be left out of the request */
  readonly notices: ReadonlyArray<Notice>
  /** the provider's own document: its wire format and its exact text, where it is the answer to all of the request */
  readonly origin?: { readonly protocol: string; readonly text: string }
}
