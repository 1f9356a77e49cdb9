import { anthropicMessages } from "../protocols/anthropic-messages/outbound.ts"
import { gemini } from "../protocols/gemini/outbound.ts"
import { openAiChat } from "../protocols/openai-chat/outbound.ts"
import { openAiResponses } from "../protocols/openai-responses/outbound.ts"
import type { Protocol } from "../protocols/Protocol.ts"
import { apiKeyHeader, bearer, type Auth } from "./Deployment.ts"

/** A wire format as providers are configured with it: the protocol, and how its servers take a key. */
export interface Format {
  readonly protocol: Protocol
  readonly auth: Auth
}

const googleApiKey: Auth = (key) => ({ "x-goog-api-key": key })

/** The wire formats that a provider can be called by, by the names that a configuration has for them. */
export const formats = {
  "openai-chat": { protocol: openAiChat, auth: bearer },
  "openai-responses": { protocol: openAiResponses, auth: bearer },
  "anthropic-messages": { protocol: anthropicMessages, auth: apiKeyHeader },
  gemini: { protocol: gemini, auth: googleApiKey }
} satisfies { readonly [name: string]: Format }

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats) as ReadonlyArray<FormatName> // the keys of a literal are known
