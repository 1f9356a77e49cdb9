import type { ProviderTool, WebSearch } from "../domain/LlmRequest.ts"
import { present } from "../domain/present.ts"
import type { Notices } from "./Notices.ts"
import { isObject, unlessEmpty, type JsonObject } from "./open-document.ts"

/** The search of a format's provider; undefined where it would search what it may not. */
export type SearchOf = (search: WebSearch, said: Notices) => JsonObject | undefined

/**
 * A tool that the provider runs, as the format `own` asks for it: as it was asked for in that format, or a search of the web
 * by the provider's own, where the format has one (`searchOf`). Nothing, and said, where it has none of the kind.
 */
export const hostedTool = (
  tool: ProviderTool,
  own: string,
  said: Notices,
  searchOf?: SearchOf | undefined
): ReadonlyArray<JsonObject> => {
  if (tool.protocol === own && isObject(tool.value)) return [tool.value]
  const search = tool.webSearch === undefined ? undefined : searchOf?.(tool.webSearch, said)
  if (search !== undefined) {
    said.add("emulated", `the tool ${tool.name}: the provider that is asked searches the web in its own way`)
    for (const option of tool.webSearch?.others ?? []) said.dropped(`${option} of the tool ${tool.name}`)
    return [search]
  }
  said.dropped(`the tool ${tool.name}`, `only ${tool.protocol} runs it`)
  return []
}

/** Whether a search is held to some places, or kept away from some: it must not be sent to who would search everywhere. */
const isBounded = ({ allowedDomains, blockedDomains }: WebSearch): boolean =>
  allowedDomains !== undefined || blockedDomains !== undefined

/** The search of a provider that can be told neither where to search nor for whom. */
export const plainSearch =
  (tool: JsonObject): SearchOf =>
  (search, said) => {
    if (isBounded(search)) return undefined
    if (search.userLocation !== undefined) said.dropped("user_location of a search")
    return tool
  }

const stringsIn = (value: unknown): ReadonlyArray<string> | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string") ? value : undefined

/** A search by its options, in the words that most formats have for them. */
export const searchWith = (options: JsonObject): WebSearch => {
  const { allowed_domains: allowed, blocked_domains: blocked, user_location: location, ...rest } = options
  const allowedDomains = stringsIn(allowed)
  const blockedDomains = stringsIn(blocked)
  const others = Object.keys(rest).filter((option) => rest[option] !== null)
  return {
    ...present({
      allowedDomains,
      blockedDomains,
      userLocation: isObject(location) ? location : undefined,
      others: unlessEmpty(others)
    })
  }
}
