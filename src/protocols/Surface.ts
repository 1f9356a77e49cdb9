import type { Result, Schema } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { EmbeddingAnswer, EmbeddingRequest } from "../domain/Embedding.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { Model } from "../domain/Model.ts"
import type { DecodedRequest, Dialect, PathFacts } from "./Dialect.ts"

/** What a request asks for, as its path and query say it. */
export type Action =
  | {
      readonly _tag: "Generate"
      readonly dialect: Dialect
      /** what the path says and the body does not */
      readonly path?: PathFacts
    }
  | CountTokens
  | Embed

/** Counting the tokens of a request without running it. A request to be counted may lack what one to be answered needs. */
export interface CountTokens {
  readonly _tag: "CountTokens"
  readonly decode: (body: Schema.Json) => Result.Result<DecodedRequest, LlmError>
  readonly render: (tokens: number) => Schema.Json
}

/** Turning texts into vectors. */
export interface Embed {
  readonly _tag: "Embed"
  /** the wire format, of which a provider's own document may pass as it is */
  readonly format: string
  readonly decode: (body: Schema.Json) => Result.Result<EmbeddingRequest, LlmError>
  /** the JSON text of the answer */
  readonly render: (answer: EmbeddingAnswer, request: EmbeddingRequest) => string
}

type Query = { readonly get: (name: string) => string | null }

/**
 * Something that is asked for by `POST`. `path` is exact, or ends in `*` and stands for whatever follows; `actionOf` is
 * given what followed, decoded, and says what it asks for, or that it is nothing.
 */
export interface SurfacePath {
  readonly path: string
  readonly actionOf: (rest: string, query: Query) => Action | undefined
}

/**
 * Where a dialect lives on an HTTP server: its paths, how a request to a path that several dialects share is known to be
 * meant in it, and the shapes of what it serves beside answers.
 */
export interface Surface {
  readonly dialect: Dialect
  readonly paths: ReadonlyArray<SurfacePath>
  /** paths below which everything is the dialect's, what it does not have included: errors there are in its words */
  readonly prefixes: ReadonlyArray<string>
  /** why there is nothing at the paths below the prefixes that the dialect's own provider has */
  readonly absence?: string
  /** where its models are listed by `GET`, and below it each one described */
  readonly modelsPath: string
  /** whether an SDK of this dialect sends such headers or such a query; names are lower case */
  readonly recognises: (headers: { readonly [name: string]: string | undefined }, query: Query) => boolean
  readonly renderModels: (models: ReadonlyArray<Model>) => Schema.Json
  readonly renderModel: (model: Model) => Schema.Json
}

/** The dialects that are served; the first answers what no dialect claims. */
export type Surfaces = NonEmptyReadonlyArray<Surface>

/** What follows the fixed part of a path pattern; undefined where the path is another one. */
export const restOfPath = (pattern: string, path: string): string | undefined => {
  if (!pattern.endsWith("*")) return pattern === path ? "" : undefined
  const prefix = pattern.slice(0, -1)
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : undefined
}

/** Whether a path is one of the surface's own, or stands below one. */
export const ownsPath = ({ prefixes }: Surface, path: string): boolean =>
  prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))

/** Whether something can be asked for by `POST` at a path. */
export const servesPath = ({ paths }: Surface, path: string): boolean =>
  paths.some((own) => restOfPath(own.path, path) !== undefined)
