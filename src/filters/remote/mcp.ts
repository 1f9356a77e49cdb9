import { Effect, Exit, Redacted, Scope, Semaphore } from "effect"
import { McpClient, type McpClientError, McpProtocol, type McpSchema } from "effect/ai"
import { HttpClient } from "effect/http"
import { beginningOf } from "../../domain/beginning.ts"
import type { Filter } from "../Filter.ts"
import type { FilterFault } from "../FilterFault.ts"
import { type Ask, type RemoteFilter, remoteFilter, replyOf, type Reply, unanswered } from "./exchange.ts"

/** A tool of an MCP server that filters: it is called with the question as its arguments. */
export interface McpFilter extends RemoteFilter {
  readonly url: string
  /** the tool's name; the filter's own unless it says so */
  readonly tool?: string
  readonly headers?: { readonly [name: string]: Redacted.Redacted }
}

interface Session {
  readonly client: McpClient.McpClient
  readonly tool: McpSchema.Tool
  readonly scope: Scope.Closeable
}

/** A filter that calls a tool of an MCP server. One session serves all calls, and is made anew where it has expired. */
export const mcpFilter = Effect.fnUntraced(function* (
  settings: McpFilter
): Effect.fn.Return<Filter, never, HttpClient.HttpClient | Scope.Scope> {
  const http = yield* HttpClient.HttpClient
  const outer = yield* Effect.scope
  const { name, url, headers = {}, tool: named = name } = settings
  const own = Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, Redacted.value(value)]))
  const one = yield* Semaphore.make(1)
  let current: Session | undefined

  const begin = Effect.fnUntraced(function* () {
    const scope = yield* Scope.fork(outer)
    const session = Effect.gen(function* () {
      const transport = yield* McpClient.http({ url, protocol: McpProtocol.v2025_11_25, headers: own })
      const client = yield* Effect.provideService(
        McpClient.make({ name: "millrace", version: "1" }),
        McpClient.Transport,
        transport
      )
      const tool = (yield* client.listTools()).find((tool) => tool.name === named)
      if (tool === undefined) return yield* unanswered(`the server has no tool ${named}`)
      return { client, tool, scope }
    })
    return yield* session.pipe(
      Effect.provideService(HttpClient.HttpClient, http),
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

  const session = one.withPermit(
    Effect.suspend(() =>
      current === undefined
        ? Effect.map(begin(), (begun) => {
            current = begun
            return begun
          })
        : Effect.succeed(current)
    )
  )
  const forget = (ended: Session): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (current === ended) current = undefined
      return Effect.ignore(Scope.close(ended.scope, Exit.void))
    })

  const call = (question: Parameters<Ask>[0], again: boolean): Effect.Effect<Reply, FilterFault> =>
    Effect.mapError(session, failed).pipe(
      Effect.flatMap((begun) =>
        // The arguments are plain data: a question is what JSON can hold.
        Effect.matchEffect(
          begun.client.callTool({ tool: begun.tool, arguments: JSON.parse(JSON.stringify(question)) }),
          {
            onFailure: (error) =>
              isEnded(error)
                ? Effect.andThen(forget(begun), again ? call(question, false) : failed(error))
                : failed(error),
            onSuccess: replyTo
          }
        )
      )
    )

  return remoteFilter(settings, (question) => call(question, true))
})

const failed = (error: McpClientError.McpClientError | FilterFault): FilterFault =>
  error._tag === "FilterFault" ? error : unanswered(error.message)

/** Whether the session is over: it expired, or its connection is gone. */
const isEnded = (error: McpClientError.McpClientError): boolean =>
  error.reason._tag === "ClosedError" || (error.reason._tag === "HttpError" && error.reason.status === 404)

/** What a tool answered: its failure is a refusal, with what it says for a reason. */
const replyTo = ({
  content,
  isError,
  structuredContent
}: McpSchema.CallToolResult): Effect.Effect<Reply, FilterFault> => {
  const text = content.find((part) => part.type === "text")
  const said = text?.type === "text" ? text.text : ""
  if (isError === true) {
    return Effect.succeed({
      action: "refuse",
      reason: said === "" ? "the filter gave no reason" : beginningOf(said, 240)
    })
  }
  return replyOf(structuredContent ?? said)
}
