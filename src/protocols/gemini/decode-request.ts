import { Result } from "effect"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest, Requirement } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { DecodedRequest, PathFacts } from "../Dialect.ts"
import { documentDecoder } from "../document.ts"
import { isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { decodeContents } from "./decode-contents.ts"
import { decodeSettings, decodeTool, decodeToolConfig } from "./decode-settings.ts"
import { extended } from "./extension.ts"
import { geminiId, GenerateContentRequest } from "./wire.ts"

const readDocument = documentDecoder(GenerateContentRequest)

/** Reads the body of `:generateContent` and `:streamGenerateContent`; without a path the model has to stand in it. */
export const decodeRequest = (body: unknown, path?: PathFacts): Result.Result<DecodedRequest, LlmError> =>
  Result.flatMap(readDocument(body), (document) => {
    const model = path?.model ?? modelName(document.model ?? "")
    if (model === "") return invalid("model", "model is required")
    if (document.contents.length === 0) return invalid("contents", "contents is not specified")
    return Result.succeed({ request: requestOf(document, model), delivery: path?.delivery ?? "whole" })
  })

/**
 * Reads the body of `:countTokens`, which is a request to be counted under `generateContentRequest`, or no more than its
 * contents.
 */
export const decodeCountRequest = (body: unknown, path?: PathFacts): Result.Result<DecodedRequest, LlmError> => {
  const inner = isObject(body) ? (body["generateContentRequest"] ?? body["generate_content_request"]) : undefined
  return decodeRequest(inner ?? body, path)
}

const invalid = (path: string, message: string) =>
  Result.fail(failure({ _tag: "InvalidRequest", kind: "type", path }, message))

/** The name of a model without the collection that it stands in. */
export const modelName = (resource: string): string => resource.replace(/^models\//, "")

/** What the provider holds by itself: contents in a cache, an answer that was not finished. */
const held: { readonly [field: string]: Requirement } = {
  cachedContent: {
    protocol: geminiId,
    feature: "cachedContent",
    message: "cachedContent: caches are not held here; send all contents"
  },
  continuationToken: {
    protocol: geminiId,
    feature: "continuationToken",
    message: "continuationToken: only the provider that gave it can go on with its answer; ask anew without it"
  }
}

const heldIn = (rest: JsonObject = {}): Requirement | undefined =>
  Object.entries(held).find(([field]) => rest[field] !== undefined)?.[1]

const requestOf = (document: GenerateContentRequest, model: string): LlmRequest => {
  const { kept: generationConfig, marks, ...settings } = decodeSettings(document.generationConfig)
  const { toolChoice, kept: toolConfig } = decodeToolConfig(document.toolConfig)
  const tools = document.tools?.flatMap(decodeTool) ?? []
  return {
    model,
    messages: decodeContents(document),
    ...present({
      tools: unlessEmpty(tools),
      toolChoice,
      serviceTier: document.serviceTier === "unspecified" ? undefined : document.serviceTier,
      requires: heldIn(document.rest)
    }),
    ...settings,
    ...extended({ ...document.rest, ...marks, generationConfig, toolConfig })
  }
}
