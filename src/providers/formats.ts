import { anthropicMessages } from "../protocols/anthropic-messages/outbound.ts"
import { bedrockConverse } from "../protocols/bedrock-converse/outbound.ts"
import { bedrockInvokeAnthropic } from "../protocols/bedrock-invoke-anthropic/outbound.ts"
import { cohereV2 } from "../protocols/cohere-v2/outbound.ts"
import { geminiInteractions } from "../protocols/gemini-interactions/outbound.ts"
import { gemini } from "../protocols/gemini/outbound.ts"
import { ollama } from "../protocols/ollama/outbound.ts"
import { openAiChat } from "../protocols/openai-chat/outbound.ts"
import { openAiCompletions } from "../protocols/openai-completions/outbound.ts"
import { openAiResponses } from "../protocols/openai-responses/outbound.ts"
import type { Protocol } from "../protocols/Protocol.ts"
import { apiKeyHeader, bearer, type Auth } from "./Deployment.ts"

/** A wire format as providers are configured with it: the protocol, and how its servers take a key. */
export interface Format {
  readonly protocol: Protocol
  readonly auth: Auth
  /** where below its address it is asked for answers, as far as the model does not stand in the path */
  readonly path?: string
  /** where the one who defined it serves it; absent where every region has an address of its own */
  readonly usualUrl?: string
  /** whose regions it is served in, and who is asked to be let in */
  readonly cloud?: "aws"
}

/** Who has addresses, paths or credentials of its own for formats that others serve as well. */
export type Cloud = "aws" | "azure" | "vertex"

/** The key as Google expects it. */
export const googleApiKey: Auth = (key) => ({ "x-goog-api-key": key })

/** The wire formats that a provider can be called by, by the names that a configuration has for them. */
export const formats = {
  "openai-chat": {
    protocol: openAiChat,
    path: "/chat/completions",
    auth: bearer,
    usualUrl: "https://api.openai.com/v1"
  },
  "openai-responses": {
    protocol: openAiResponses,
    path: "/responses",
    auth: bearer,
    usualUrl: "https://api.openai.com/v1"
  },
  "anthropic-messages": {
    protocol: anthropicMessages,
    path: "/v1/messages",
    auth: apiKeyHeader,
    usualUrl: "https://api.anthropic.com"
  },
  gemini: {
    protocol: gemini,
    path: "/v1beta/models",
    auth: googleApiKey,
    usualUrl: "https://generativelanguage.googleapis.com"
  },
  "gemini-interactions": {
    protocol: geminiInteractions,
    path: "/v1beta/interactions",
    auth: googleApiKey,
    usualUrl: "https://generativelanguage.googleapis.com"
  },
  "openai-completions": {
    protocol: openAiCompletions,
    path: "/completions",
    auth: bearer,
    usualUrl: "https://api.openai.com/v1"
  },
  "cohere-v2": { protocol: cohereV2, path: "/v2/chat", auth: bearer, usualUrl: "https://api.cohere.com" },
  ollama: { protocol: ollama, path: "/api/chat", auth: bearer, usualUrl: "http://127.0.0.1:11434" },
  "bedrock-converse": { protocol: bedrockConverse, auth: bearer, cloud: "aws" },
  "bedrock-invoke-anthropic": { protocol: bedrockInvokeAnthropic, auth: bearer, cloud: "aws" }
} satisfies { readonly [name: string]: Format }

export type FormatName = keyof typeof formats

/** The format that most servers speak. */
export const usualFormat: FormatName = "openai-chat"

/** The cloud that a format cannot be had without. */
export const cloudOf = (name: FormatName): Cloud | undefined => {
  const { cloud }: Format = formats[name]
  return cloud
}

/** Where a format is usually served; undefined where that depends on the region. */
export const usualUrl = (name: FormatName): string | undefined => {
  const { usualUrl }: Format = formats[name]
  return usualUrl
}

/** The path of a format at the end of an address, which is put there in any case. */
export const pathAtEnd = (url: string): string | undefined =>
  Object.values<Format>(formats)
    .flatMap(({ path }) => (path !== undefined && url.replace(/\/+$/, "").endsWith(path) ? [path] : []))
    .toSorted((one, other) => other.length - one.length)[0]

export const formatNames = Object.keys(formats) as ReadonlyArray<FormatName> // the keys of a literal are known
