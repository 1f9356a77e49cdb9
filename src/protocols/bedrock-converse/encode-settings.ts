import type { LlmRequest, ResponseFormat, Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { formOf } from "../claude/form.ts"
import { claudeSampling } from "../claude/sampling.ts"
import { unlessEmpty, type JsonObject } from "../open-document.ts"
import type { ConverseEncoding } from "./encoding.ts"

/** How tokens are drawn: what the API says for all models, and what only a model's own API says. */
export interface Drawing {
  readonly inferenceConfig: JsonObject
  readonly modelFields: JsonObject
}

/** How tokens are drawn. A model that thinks draws them in its own way. */
export const encodeSampling = (sampling: Sampling, thinks: boolean, encoding: ConverseEncoding): Drawing => {
  const stops = sampling.stopSequences?.filter((sequence) => sequence.trim() !== "")
  if (stops?.length !== sampling.stopSequences?.length) {
    encoding.dropped("a stop sequence", "those of nothing but white space are refused")
  }
  const asked = {
    ...sampling,
    ...present({ temperature: encoding.within("temperature", sampling.temperature, 0, 1) })
  }
  const { temperature, top_p: topP, top_k: topK } = claudeSampling(asked, thinks, encoding.traits, encoding)
  return {
    inferenceConfig: present({
      maxTokens: sampling.maxOutputTokens,
      temperature,
      topP,
      stopSequences: unlessEmpty(stops ?? [])
    }),
    modelFields: topKField(topK, encoding)
  }
}

const topKField = (topK: number | undefined, encoding: ConverseEncoding): JsonObject => {
  if (topK === undefined) return {}
  if (encoding.traits.family === "claude") return { top_k: topK }
  if (encoding.traits.family === "nova") return { inferenceConfig: { topK } }
  encoding.dropped("top_k")
  return {}
}

/** The form of the answer, as a setting where the model is held to a schema. */
export const encodeForm = (
  format: ResponseFormat | undefined,
  encoding: ConverseEncoding
): { readonly outputConfig?: JsonObject; readonly instruction?: string } => {
  const { schema, instruction } = formOf(format, encoding.traits, encoding)
  if (instruction !== undefined) return { instruction }
  if (schema === undefined || format?._tag !== "JsonSchema") return {}
  const { description, name } = format
  const jsonSchema = { name, schema: JSON.stringify(schema), ...present({ description }) }
  return { outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema } } } }
}

const tiers: ReadonlyArray<string> = ["default", "priority", "flex", "reserved"]

/** The tier that serves the request. `auto` is what goes without saying. */
export const encodeTier = (tier: string | undefined, encoding: ConverseEncoding): JsonObject | undefined => {
  if (tier === undefined || tier === "auto") return undefined
  const type = tier === "standard" || tier === "standard_only" ? "default" : tier
  if (tiers.includes(type)) return { type }
  encoding.dropped(`service_tier ${tier}`)
  return undefined
}

const longestMetadata = 256
const mostMetadata = 16
const plainText = /^[a-zA-Z0-9\s:_@$#=/+,\-.]*$/

/** What the request is marked with in the provider's logs: texts of few kinds of characters. */
export const encodeMetadata = (
  metadata: LlmRequest["metadata"],
  encoding: ConverseEncoding
): JsonObject | undefined => {
  const fitting = Object.entries(metadata ?? {}).filter(([key, value]) => {
    const fits =
      key !== "" &&
      [key, value].every((text) => typeof text === "string" && text.length <= longestMetadata && plainText.test(text))
    if (!fits) encoding.dropped(`metadata ${key}`, "the Converse API takes short plain texts")
    return fits
  })
  for (const [key] of fitting.splice(mostMetadata)) {
    encoding.dropped(`metadata ${key}`, `the Converse API takes ${mostMetadata} of them`)
  }
  return fitting.length === 0 ? undefined : Object.fromEntries(fitting)
}
