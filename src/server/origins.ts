import { Effect } from "effect"
import { isLoopback } from "../config/listening.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Exchange } from "./requests.ts"

/** Names that nobody else can let lead here: by the last ones containers reach the machine that they run on. */
const ownNames = /^(\d+\.\d+\.\d+\.\d+|\[.*\]|localhost|.+\.localhost|host\.[a-z]+\.internal)$/

/**
 * Whether a host as a request names it is this machine's own: an address, a name such as `localhost`, or the name that the
 * server listens by. Any other may be one that somebody else lets lead here, so that a page from there would seem to be ours.
 */
const isOwnHost = (hostname: string, listening: string): boolean =>
  ownNames.test(hostname) || hostname === listening.toLowerCase()

const isOwn = (origin: string, host: string | undefined, listening: string): boolean => {
  const url = URL.parse(origin)
  return url !== null && url.host === host?.toLowerCase() && isOwnHost(url.hostname, listening)
}

/** What the server is told about origins: those whose pages may call it (`*` for all), and its own name. */
export interface OriginPolicy {
  readonly allowedOrigins: ReadonlyArray<string>
  readonly host: string
  /** whether nobody is asked for a key */
  readonly isOpen: boolean
}

/**
 * Why a request may not be answered: it was sent by a web page of another site, or may have been. A browser sends such
 * requests for whoever wrote the page, from the machine of whoever looks at it, which may well be the one where an open
 * server listens.
 */
export const refusalOfPage = (exchange: Exchange, policy: OriginPolicy): LlmError | undefined => {
  const { origin, host } = exchange.request.headers
  if (origin !== undefined) return refusalOfOrigin(origin, host, policy)
  return policy.isOpen && host !== undefined && isLoopback(policy.host) ? refusalOfHost(host, policy) : undefined
}

/**
 * A page asks its own server for something without saying where the page is from. It may be that of a name which leads
 * here by now: who only this machine can reach is then asked by a name that is not this machine's.
 */
const refusalOfHost = (host: string, { allowedOrigins, host: listening }: OriginPolicy): LlmError | undefined => {
  const hostname = host.replace(/:\d*$/, "").toLowerCase()
  if (isOwnHost(hostname, listening)) return undefined
  if (allowedOrigins.some((allowed) => allowed === "*" || URL.parse(allowed)?.hostname === hostname)) return undefined
  return failure(
    { _tag: "PermissionDenied" },
    `${JSON.stringify(host)} is no name of this server: ask ${listening}, or add ${JSON.stringify(`http://${host}`)} to server.allowedOrigins in its configuration`
  )
}

const refusalOfOrigin = (origin: string, host: string | undefined, policy: OriginPolicy): LlmError | undefined => {
  if (isOwn(origin, host, policy.host)) return undefined
  if (policy.allowedOrigins.includes("*") || policy.allowedOrigins.includes(origin)) return undefined
  return failure(
    { _tag: "PermissionDenied" },
    `Web pages of ${origin} may not call this server; to let them, add ${JSON.stringify(origin)} to server.allowedOrigins in its configuration`
  )
}

/** All of them: ids, and what SDKs go by when a limit is reached. Pages show no cookies, where this would mean nothing. */
const readableHeaders = "*"

/** Lets the browser show the answer to the page that asked. */
export const showToOrigin = ({ request, response }: Exchange): void => {
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader("access-control-allow-origin", origin)
  response.setHeader("access-control-expose-headers", readableHeaders)
  response.setHeader("vary", "origin")
}

/** Whether a browser asks first what a page may send. */
export const isPreflight = ({ request }: Exchange): boolean =>
  request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined

/** Answers such a question: whatever method and headers are meant. */
export const answerPreflight = ({ request, response }: Exchange): Effect.Effect<void> =>
  Effect.sync(() => {
    const asked = request.headers["access-control-request-headers"]
    const isPrivate = request.headers["access-control-request-private-network"] !== undefined
    response
      .writeHead(204, {
        "access-control-allow-methods": "GET, HEAD, POST, PATCH, DELETE",
        ...(asked === undefined ? {} : { "access-control-allow-headers": asked }),
        ...(isPrivate ? { "access-control-allow-private-network": "true" } : {}),
        "access-control-max-age": "600"
      })
      .end()
  })
