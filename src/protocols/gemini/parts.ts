import { DateTime, type Schema } from "effect"
import type { Source } from "../../domain/LlmEvent.ts"
import type { ResponsePart } from "../../domain/LlmResponse.ts"
import { present } from "../../domain/present.ts"
import { callFields, callSealInBytes } from "../CallOrigin.ts"
import type { Notices } from "../Notices.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownBlock } from "../foreign-blocks.ts"
import { proofInBytesFor, type Proof } from "../SealedReasoning.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { groundingMetadata, type FirstText } from "./sources.ts"
import { geminiId } from "./wire.ts"

type ToolCall = Pick<
  Extract<ResponsePart, { readonly _tag: "ToolCall" }>,
  "id" | "name" | "arguments" | "providerExecuted" | "origin"
>

/** The part of a call; none where the provider that ran it is of another format. */
export const callPart = (call: ToolCall, said: Notices): JsonObject | undefined => {
  const { id, name, providerExecuted } = call
  const origin = callFields(call, geminiId)
  if (providerExecuted === true) {
    if (Object.keys(origin).length > 0) return origin
    said.dropped(`a call of ${name} that the provider ran itself`)
    return undefined
  }
  const args = argumentsObject(call, said)
  const { functionCall, ...more } = origin
  return {
    functionCall: { id, name, args, ...fieldsOf(functionCall) },
    ...present({ thoughtSignature: callSealInBytes(call, geminiId) }),
    ...more
  }
}

/**
 * What this format alone knows of an answer, by the place where it stands; `beside` is what it says of the medium before: its
 * signature, what is heard in it.
 */
export interface Fragment {
  readonly part?: JsonObject
  readonly beside?: JsonObject
  readonly candidate?: JsonObject
  readonly response?: JsonObject
}

/** The fragment of an opaque event or part; undefined, and said, where it is of another format. */
export const fragmentOf = (
  event: { readonly protocol: string; readonly value: Schema.Json },
  said: Notices
): Fragment | undefined => {
  const value = ownBlock(event, geminiId, said)
  if (value === undefined) return undefined
  const { part, beside, candidate, response } = value
  return present({
    part: isObject(part) ? part : undefined,
    beside: isObject(beside) ? beside : undefined,
    candidate: isObject(candidate) ? candidate : undefined,
    response: isObject(response) ? response : undefined
  })
}

/** Whether a part is no more than the signature of the part before it. */
export const isSignature = (part: JsonObject): boolean => Object.keys(part).every((key) => key === "thoughtSignature")

/** The part of thoughts, whose proof callers send back in the next turn: sealed where another format's provider gave it. */
export const thoughtPart = (text: string, proof: Proof): JsonObject => ({
  text,
  thought: true,
  ...present({ thoughtSignature: proofInBytesFor(geminiId, proof) })
})

/** The metadata of sources from elsewhere. Those of this format stand in its own metadata already. */
export const sourceFields = (
  sources: ReadonlyArray<Source>,
  first: FirstText | undefined,
  said: Notices
): JsonObject => {
  const others = sources.filter(({ origin }) => origin?.protocol !== geminiId)
  if (others.length === 0) return {}
  const metadata = groundingMetadata(others, first)
  const { groundingSupports: told } = metadata
  const places = others.filter(({ start }) => start !== undefined).length
  if (places > (Array.isArray(told) ? told.length : 0)) said.dropped("the place that a source belongs to")
  return { groundingMetadata: metadata }
}

/** The fields that every chunk and whole answer begins or ends with. */
export const headFields = (
  head: { readonly id: string; readonly model: string; readonly created?: number } | undefined,
  context: RenderContext
): JsonObject => ({
  modelVersion: head?.model || context.request.model,
  responseId: head?.id || context.id,
  ...(head?.created === undefined ? {} : { createTime: DateTime.formatIso(DateTime.makeUnsafe(head.created * 1000)) })
})

/** How the words of a refusal are said. */
export const refusalIsText = "a refusal is text: the finish reason SAFETY says what it is"

/** Notices of what the Gemini API has no words for. */
export const noCounterpart = "the Gemini API has no counterpart"
