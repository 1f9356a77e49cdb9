import { Effect, Option, Redacted, Schema, Stream } from "effect"
import { HttpClient, type HttpClientError, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { beginningOf } from "../../domain/beginning.ts"
import type { Filter } from "../Filter.ts"
import { garbage, type FilterFault } from "../FilterFault.ts"
import { type Ask, type Reply, type RemoteFilter, remoteFilter, replyOf, unanswered } from "./exchange.ts"

/** A service that filters over HTTP: a question is a POST of JSON. */
export interface HttpFilter extends RemoteFilter {
  readonly url: string
  /** sent with every question, to let Millrace in */
  readonly headers?: { readonly [name: string]: Redacted.Redacted }
}

/** How long a reply may be beyond what may be in it of the question, twice as long as there, in bytes; what is longer is none. */
const maxReply = 1024 * 1024

/** The text of a reply, which is given up where it grows beyond a limit. */
const textWithin = (
  { stream }: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<string, HttpClientError.HttpClientError | FilterFault> =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    let left = limit
    const read = Stream.runForEach(stream, (piece) => {
      left -= piece.length
      pieces.push(piece)
      return left < 0 ? garbage("its reply is too long") : Effect.void
    })
    return Effect.map(read, () => Buffer.concat(pieces).toString("utf8"))
  })

const Said = Schema.Struct({
  reason: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(Schema.Unknown)
})
const decodeSaid = Schema.decodeUnknownOption(Schema.fromJsonString(Said))

/** Why a service declined with a status of its own: what it says for a reason, or the text as it stands. */
const reasonIn = (body: string): string => {
  const said = Option.getOrUndefined(decodeSaid(body))
  const error = said?.error
  const reason = said?.reason ?? said?.message ?? (typeof error === "string" ? error : undefined) ?? body.trim()
  return beginningOf(reason === "" ? "the filter gave no reason" : reason, 240)
}

/** Statuses that say something of the question's way to the service, not of what was asked. */
const isOwnTrouble = (status: number): boolean => [401, 404, 405, 407, 408, 429].includes(status)

/**
 * A filter that asks a service over HTTP. 2xx with a reply does what it says, 204 lets pass, a 4xx that is about what was
 * asked refuses with what the service says; anything else is its failure.
 */
export const httpFilter = (settings: HttpFilter): Effect.Effect<Filter, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => {
    const { url, headers = {} } = settings
    const own = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), Redacted.value(value)])
    )
    const ask: Ask = ({ headers: shown, ...asked }) => {
      const question = JSON.stringify(asked)
      return HttpClientRequest.post(url).pipe(
        HttpClientRequest.setHeaders({ ...shown, ...own, accept: "application/json" }),
        HttpClientRequest.bodyText(question, "application/json"),
        client.execute,
        // The trace is the caller's own, which stands among the headers.
        Effect.provideService(HttpClient.TracerPropagationEnabled, false),
        Effect.flatMap((response) =>
          Effect.map(textWithin(response, maxReply + 2 * Buffer.byteLength(question)), (body) => ({
            status: response.status,
            body
          }))
        ),
        Effect.mapError((error) => (error._tag === "FilterFault" ? error : unanswered(error.message))),
        Effect.flatMap(({ status, body }): Effect.Effect<Reply, FilterFault> => {
          if (status === 204) return Effect.succeed({ action: "allow" })
          if (status >= 400 && status < 500 && !isOwnTrouble(status))
            return Effect.succeed({ action: "refuse", reason: reasonIn(body) })
          if (status < 200 || status >= 300) return unanswered(`it answered with the status ${status}`)
          return replyOf(body)
        })
      )
    }
    return remoteFilter(settings, ask)
  })
