import type { Schema } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import type { Dialect, PathFacts, RenderContext } from "../../protocols/Dialect.ts"
import type { Action, Surface } from "../../protocols/Surface.ts"

/** Renders the events of one stream; text, or bytes where frames are binary. */
export interface SimulatedRenderer {
  event(event: LlmEvent): string | Buffer
  /** The stream ended well: the terminator, where there is one. */
  end(): string | Buffer
  /** The stream failed: the format's error in the stream. */
  failure(error: LlmError): string | Buffer
}

/**
 * What the simulator needs of a wire format to answer in it. Every `Dialect` is one; the formats that Millrace itself
 * only calls have one here, which reads of a request what decides the answer and says of an answer what a model says.
 */
export interface SimulatedDialect extends Pick<
  Dialect,
  "id" | "decode" | "renderWhole" | "renderError" | "contentType"
> {
  readonly renderer: (context: RenderContext) => SimulatedRenderer
}

/** What a request to a path asks of the simulator. */
export type SimulatedAction =
  | { readonly _tag: "Generate"; readonly dialect: SimulatedDialect; readonly path?: PathFacts }
  | Exclude<Action, { readonly _tag: "Generate" }>

/** How the models are listed in a format of which Millrace has no surface. */
export interface SimulatedListing {
  readonly path: string
  /** whether a request to a path that others list at too is meant for it */
  readonly recognises: (query: URLSearchParams) => boolean
  readonly render: (models: ReadonlyArray<string>) => Schema.Json
}

/** Where the simulator answers in a format. A `Surface` is one that also lists models. */
export interface SimulatedSurface {
  readonly listing?: SimulatedListing
  /** in whose words a request is refused that reaches no action */
  readonly dialect: SimulatedDialect
  readonly paths: ReadonlyArray<{
    readonly path: string
    readonly actionOf: (...asked: Parameters<Surface["paths"][number]["actionOf"]>) => SimulatedAction | undefined
  }>
}
