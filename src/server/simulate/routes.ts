import { NodeHttpServerRequest } from "@effect/platform-node"
import { Clock, Effect, Exit, Result, type Schema } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { ServerResponse } from "node:http"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { Model } from "../../domain/Model.ts"
import type { PathFacts } from "../../protocols/Dialect.ts"
import { type CountTokens, type Embed, restOfPath, type Surface, type Surfaces } from "../../protocols/Surface.ts"
import { countPrompt } from "../../providers/simulator/Tokens.ts"
import { parseObject } from "../requests.ts"
import { deliver } from "./deliver.ts"
import type { LoggedRequest, RequestLog } from "./RequestLog.ts"
import type { SimulatedDialect, SimulatedSurface } from "../../providers/simulator/SimulatedDialect.ts"
import type { SimulateError } from "./SimulateError.ts"
import type { Simulation } from "./Simulation.ts"

/** What the routes serve from. `startedAt` is in seconds since the epoch: when every model was made. */
export interface SimulateContext {
  readonly surfaces: Surfaces
  /** the formats that are answered and that Millrace has no surface of */
  readonly further: ReadonlyArray<SimulatedSurface>
  readonly simulation: Simulation
  readonly log: RequestLog
  readonly startedAt: number
}

type Incoming = HttpServerRequest.HttpServerRequest
type Handler = (request: Incoming) => Effect.Effect<HttpServerResponse.HttpServerResponse>
type Methods = { readonly [method: string]: Handler }
type Routes = ReadonlyMap<string, Methods>

/** The simulator as an HTTP application: every route of every surface, and what tells tests what was received. */
export const simulateApp = (
  context: SimulateContext
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> => {
  const routes = routesOf(context)
  return HttpServerRequest.HttpServerRequest.use((request) => {
    const path = pathOf(request.url)
    const methods = routes.get(path) ?? surfaceMethods(context, path, queryOf(request.url))
    const handler = methods?.[request.method === "HEAD" ? "GET" : request.method]
    if (handler !== undefined) return Effect.interruptible(handler(request))
    return Effect.succeed(notServed(context, request, path, methods))
  })
}

const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

const routesOf = (context: SimulateContext): Routes => {
  const routes = new Map<string, Methods>()
  const { log, simulation } = context
  const json =
    (read: () => unknown): Handler =>
    () =>
      Effect.sync(() => HttpServerResponse.jsonUnsafe(read()))
  const forget: Handler = () =>
    Effect.sync(() => {
      simulation.reset()
      log.reset()
      return HttpServerResponse.empty()
    })
  routes.set("/healthz", { GET: () => Effect.succeed(HttpServerResponse.text("ok\n")) })
  routes.set("/_simulate/requests", { GET: json(() => ({ data: log.requests() })), DELETE: forget })
  routes.set("/_simulate/stats", { GET: json(() => log.stats()) })
  for (const { modelsPath } of context.surfaces) {
    routes.set(modelsPath, { GET: (request) => Effect.succeed(listModels(context, request)) })
  }
  for (const { listing } of context.further) {
    if (listing === undefined) continue
    const others = routes.get(listing.path)?.["GET"]
    routes.set(listing.path, {
      GET: (request) =>
        others === undefined || listing.recognises(queryOf(request.url))
          ? Effect.sync(() => HttpServerResponse.jsonUnsafe(listing.render(context.simulation.models)))
          : others(request)
    })
  }
  return routes
}

/** What a path of a surface takes: what is asked of a model, and the description of one. */
const surfaceMethods = (context: SimulateContext, path: string, query: URLSearchParams): Methods | undefined => {
  const decoded = decodedPath(path)
  for (const surface of everySurface(context)) {
    for (const own of surface.paths) {
      const rest = restOfPath(own.path, decoded)
      const action = rest === undefined ? undefined : own.actionOf(rest, query)
      if (action === undefined) continue
      return {
        POST: logged(context, (request, entry) => {
          switch (action._tag) {
            case "CountTokens":
              return count(action, request, entry)
            case "Embed":
              return embed(context, action, request, entry)
            case "Generate":
              return generate(context, action.dialect, action.path, request, entry)
          }
        })
      }
    }
  }
  const listing = context.surfaces.find(({ modelsPath }) => path.startsWith(`${modelsPath}/`))
  return listing === undefined ? undefined : oneModel(context, decoded.slice(listing.modelsPath.length + 1))
}

const everySurface = ({ surfaces, further }: SimulateContext): ReadonlyArray<SimulatedSurface> => [
  ...surfaces,
  ...further
]

const queryOf = (url: string): URLSearchParams => {
  const at = url.indexOf("?")
  return new URLSearchParams(at < 0 ? "" : url.slice(at))
}

const decodedPath = (path: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(path)),
    () => path
  )

const speakerOf = ({ surfaces }: SimulateContext, request: Incoming): Surface =>
  surfaces.find((surface) => surface.recognises(request.headers, queryOf(request.url))) ?? surfaces[0]

const modelOf = ({ startedAt }: SimulateContext, id: string): Model => ({
  id,
  provider: "simulator",
  created: startedAt
})

const listModels = (context: SimulateContext, request: Incoming) => {
  const models = context.simulation.models.map((id) => modelOf(context, id))
  return HttpServerResponse.jsonUnsafe(speakerOf(context, request).renderModels(models))
}

const oneModel = (context: SimulateContext, id: string): Methods => ({
  GET: (request) =>
    Effect.sync(() => {
      const surface = speakerOf(context, request)
      const { models } = context.simulation
      if (models.includes(id)) return HttpServerResponse.jsonUnsafe(surface.renderModel(modelOf(context, id)))
      const near = models.filter((name) => name.startsWith(id.slice(0, 3))).slice(0, 5)
      return errorResponse(surface, failure({ _tag: "UnknownModel", model: id, near }, `there is no model "${id}"`))
    })
})

const notServed = (
  context: SimulateContext,
  request: Incoming,
  path: string,
  methods: Methods | undefined
): HttpServerResponse.HttpServerResponse => {
  const surface = speakerOf(context, request)
  if (methods === undefined) {
    const message = `the simulator does not serve ${path}`
    return errorResponse(surface, failure({ _tag: "InvalidRequest", kind: "notFound" }, message))
  }
  const allowed = Object.keys(methods).join(", ")
  const message = `${path} takes ${allowed}, not ${request.method}`
  const response = errorResponse(surface, failure({ _tag: "InvalidRequest", kind: "method" }, message))
  return HttpServerResponse.setHeader(response, "allow", allowed)
}

const errorResponse = (
  { dialect }: Pick<SimulatedSurface, "dialect">,
  error: LlmError
): HttpServerResponse.HttpServerResponse => {
  const { body, headers, status } = dialect.renderError(error, "sim-0")
  return HttpServerResponse.jsonUnsafe(body, { status, headers })
}

type LoggedHandler = (
  request: Incoming,
  entry: LoggedRequest
) => Effect.Effect<HttpServerResponse.HttpServerResponse, LlmError | SimulateError>

/** Keeps a request in the log from its head to its end, and answers what fails on the way in the dialect's words. */
const logged =
  (context: SimulateContext, handler: LoggedHandler): Handler =>
  (request) =>
    Effect.gen(function* () {
      const { log } = context
      const clock = yield* Clock.Clock
      const now = () => clock.currentTimeMillisUnsafe()
      const { headers, method } = request
      const entry = log.open({ receivedAt: now(), method, path: request.url, headers: { ...headers } })
      return yield* handler(request, entry).pipe(
        Effect.catchTag("SimulateError", ({ message }) => failure({ _tag: "Internal" }, message)),
        Effect.catchTag("LlmError", (error) => Effect.succeed(errorResponse(speakerAt(context, request), error))),
        Effect.tap((response) => Effect.sync(() => void (entry.status ??= response.status))),
        Effect.onExit((exit) =>
          Effect.sync(() => log.close(entry, Exit.hasInterrupts(exit) ? "aborted" : "completed", now()))
        )
      )
    })

/** The surface whose path this is: errors are said in its words whoever asks. */
const speakerAt = (context: SimulateContext, request: Incoming): SimulatedSurface => {
  const path = pathOf(request.url)
  return (
    everySurface(context).find(({ paths }) => paths.some((own) => restOfPath(own.path, path) !== undefined)) ??
    speakerOf(context, request)
  )
}

/** The longest text of a body that the log keeps whole, in characters. */
const longestLogged = 1024 * 1024

const readBody = Effect.fnUntraced(function* (
  request: Incoming,
  entry: LoggedRequest
): Effect.fn.Return<{ readonly [key: string]: Schema.Json }, LlmError> {
  const unreadable = failure({ _tag: "InvalidRequest", kind: "syntax" }, "The request body cannot be read")
  const text = yield* request.text.pipe(Effect.mapError(() => unreadable))
  entry.body = text.slice(0, longestLogged)
  const body = yield* parseObject(text)
  if (text.length <= longestLogged) entry.body = body
  return body
})

const generate = Effect.fnUntraced(function* (
  { log, simulation }: SimulateContext,
  dialect: SimulatedDialect,
  path: PathFacts | undefined,
  request: Incoming,
  entry: LoggedRequest
) {
  const body = yield* readBody(request, entry)
  const decoded = yield* Effect.fromResult(dialect.decode(body, path))
  entry.model = decoded.request.model
  const { performance, splits } = yield* simulation.partOf(dialect, decoded, body)
  // The server speaks HTTP/1.1 alone, so this is the response of node:http.
  const response = NodeHttpServerRequest.toServerResponse(request) as ServerResponse
  if (performance.headMs !== Infinity) entry.status = performance.status
  const clock = yield* Clock.Clock
  const delivered = yield* deliver(response, performance, splits, (bytes) => {
    entry.sentBytes += bytes
  })
  log.close(entry, delivered, clock.currentTimeMillisUnsafe())
  // Everything is written: this response is seen by nobody.
  return HttpServerResponse.empty({ status: performance.status })
})

const count = Effect.fnUntraced(function* (action: CountTokens, request: Incoming, entry: LoggedRequest) {
  const body = yield* readBody(request, entry)
  const { request: asked } = yield* Effect.fromResult(action.decode(body))
  entry.model = asked.model
  return HttpServerResponse.jsonUnsafe(action.render(countPrompt(asked).total))
})

const embed = Effect.fnUntraced(function* (
  { simulation }: SimulateContext,
  action: Embed,
  request: Incoming,
  entry: LoggedRequest
) {
  const body = yield* readBody(request, entry)
  const asked = yield* Effect.fromResult(action.decode(body))
  entry.model = asked.model
  const text = action.render(yield* simulation.embed(asked), asked)
  entry.sentBytes = Buffer.byteLength(text)
  return HttpServerResponse.text(text, { contentType: "application/json; charset=utf-8" })
})
