import { Effect, Layer, type Scope, Stream } from "effect"
import type { IncomingHttpHeaders, ServerResponse } from "node:http"
import type { EmbeddingRequest } from "../../src/domain/Embedding.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../../src/domain/LlmRequest.ts"
import { foldEvents, textOf } from "../../src/domain/LlmResponse.ts"
import { prompt } from "../../src/domain/prompt.ts"
import { routerLayer } from "../../src/config/layers.ts"
import { Router } from "../../src/routing/Router.ts"
import { httpServer, type Listening } from "../providers/servers.ts"
import { loading, type Given } from "./loading.ts"

/** A request that a server received. */
export interface Received {
  readonly method: string | undefined
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that keeps what it receives and answers each request as `answer` does. */
export const receivingServer = (
  answer: (request: Received, response: ServerResponse) => void
): Effect.Effect<Listening & { readonly received: ReadonlyArray<Received> }, never, Scope.Scope> =>
  Effect.suspend(() => {
    const received: Array<Received> = []
    const server = httpServer((request, response) => {
      let body = ""
      request.setEncoding("utf8").on("data", (piece: string) => (body += piece))
      request.on("end", () => {
        const whole = { method: request.method, url: request.url ?? "", headers: request.headers, body }
        received.push(whole)
        answer(whole, response)
      })
    })
    return Effect.map(server, (listening) => ({ ...listening, received }))
  })

/** What is asked of a provider beside the model. */
export interface Asking extends Partial<LlmRequest> {
  readonly delivery?: Delivery
  /** the format the call came in by */
  readonly dialect?: string
}

/** Asks the provider of a model's name (`<provider>/<model>`): what it said, and how it failed. */
export const asking = (name: string, { delivery = "stream", dialect, ...more }: Asking = {}) =>
  Effect.gen(function* () {
    const { targets } = yield* (yield* Router).plan(name)
    const [{ model, upstream }] = targets
    const events: Array<LlmEvent> = []
    const notices: Array<string> = []
    const observer = {
      connected: () => {},
      head: () => {},
      bytes: () => {},
      notice: ({ message }: { readonly message: string }) => notices.push(message)
    }
    const request = { ...prompt(model, "Hi"), ...more }
    const error = yield* upstream.stream({ request, model, delivery, dialect, origin: undefined, observer }).pipe(
      Stream.runForEach((frame) => Effect.sync(() => events.push(...frame.events))),
      Effect.match({ onFailure: (failed): LlmError | undefined => failed, onSuccess: () => undefined })
    )
    return { text: textOf(foldEvents(events).choices[0]), events, error, notices }
  })

/** How many tokens the provider of a model's name takes a request for. */
export const counting = (name: string, more: Partial<LlmRequest> = {}) =>
  Effect.gen(function* () {
    const [{ model, upstream }] = (yield* (yield* Router).plan(name)).targets
    return yield* upstream.countTokens!({ request: { ...prompt(model, "Hi"), ...more }, model, origin: undefined })
  })

/** Asks the provider of a model's name for the vectors of texts. */
export const embedding = (name: string, texts: ReadonlyArray<string>, more: Partial<EmbeddingRequest> = {}) =>
  Effect.gen(function* () {
    const [{ model, upstream }] = (yield* (yield* Router).plan(name)).targets
    const observer = { connected: () => {}, head: () => {}, bytes: () => {}, notice: () => {} }
    const request = { model: name, input: { _tag: "Texts", texts }, encoding: "float", rest: {}, ...more } as const
    return yield* upstream.embed!({ request, model, origin: undefined, observer })
  })

/** The router over what a test configures, as `millrace serve` has it. */
export const configured = (given: Given) =>
  Layer.unwrap(Effect.map(Effect.orDie(loading(given)), (configuration) => routerLayer(configuration)))
