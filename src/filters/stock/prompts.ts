import { Effect } from "effect"
import { isInstruction, type LlmRequest, type Message } from "../../domain/LlmRequest.ts"
import type { Filter } from "../Filter.ts"

/** A system prompt of one's own, for every call that passes. */
export interface SystemPrompt {
  readonly name: string
  readonly text: string
  /** before what the caller's own system prompt says (default), after it, or in its place */
  readonly place?: "before" | "after" | "instead"
}

const instructed = (request: LlmRequest, text: string, place: "before" | "after" | "instead"): LlmRequest => {
  const own: Message = { role: "system", parts: [{ _tag: "Text", text }] }
  const { messages } = request
  if (place === "instead")
    return { ...request, messages: [own, ...messages.filter((message) => !isInstruction(message))] }
  if (place === "before") return { ...request, messages: [own, ...messages] }
  const first = messages.findIndex((message) => !isInstruction(message))
  const at = first < 0 ? messages.length : first
  return { ...request, messages: [...messages.slice(0, at), own, ...messages.slice(at)] }
}

/** A filter that adds a system prompt to every request. */
export const systemPrompt = ({ name, text, place = "before" }: SystemPrompt): Filter => ({
  name,
  readsText: false,
  timeout: 0,
  request: (request) => Effect.succeed(instructed(request, text, place))
})

/** What every request is to say of itself; what the caller says of the same name gives way. */
export interface Metadata {
  readonly name: string
  /**
   * `$caller`, `$tenant`, `$call` and `$request` stand for the name of the caller's key, its tenant, and the ids of
   * call and request
   */
  readonly set?: { readonly [name: string]: string }
  readonly remove?: ReadonlyArray<string>
  /** the user that is named to the provider */
  readonly user?: string
  /** headers that go to the provider with the request */
  readonly headers?: { readonly [name: string]: string }
}

/** A filter that sets what a request says of itself: metadata, the user, headers to the provider. */
export const metadata = ({ name, set = {}, remove = [], user, headers }: Metadata): Filter => ({
  name,
  readsText: false,
  timeout: 0,
  request: (request, { caller, callId, requestId }) => {
    const known: { readonly [variable: string]: string | undefined } = {
      $caller: caller.key,
      $tenant: caller.tenant,
      $call: callId,
      $request: requestId
    }
    const filled = (text: string) =>
      text.replace(/\$(?:caller|tenant|call|request)\b/g, (variable) => known[variable] ?? "")
    const entries = Object.entries(set).map(([key, value]) => [key, filled(value)] as const)
    const kept = Object.entries(request.metadata ?? {}).filter(([key]) => !remove.includes(key))
    const all = Object.fromEntries([...kept, ...entries])
    const { metadata: _, ...rest } = request
    return Effect.succeed({
      ...rest,
      ...(Object.keys(all).length === 0 ? {} : { metadata: all }),
      ...(user === undefined ? {} : { user: filled(user) }),
      ...(headers === undefined
        ? {}
        : {
            headers: {
              ...request.headers,
              ...Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), filled(value)]))
            }
          })
    })
  }
})
