import type { Schema } from "effect"
import type { Model } from "../domain/Model.ts"
import type { Dialect } from "./Dialect.ts"

/**
 * Where a dialect lives on an HTTP server: its paths, how a request to a path that several dialects share is known to be
 * meant in it, and the shapes of what it serves beside answers.
 */
export interface Surface {
  readonly dialect: Dialect
  readonly generatePath: string
  readonly countTokens?: CountTokensSurface
  /** whether an SDK of this dialect sends such headers; names are lower case */
  readonly recognises: (headers: { readonly [name: string]: string | undefined }) => boolean
  readonly renderModels: (models: ReadonlyArray<Model>) => Schema.Json
  readonly renderModel: (model: Model) => Schema.Json
}

/** Counting the tokens of a request without running it. */
export interface CountTokensSurface {
  readonly path: string
  /** a request to be counted may lack what one to be answered needs */
  readonly decode: Dialect["decode"]
  readonly render: (tokens: number) => Schema.Json
}
