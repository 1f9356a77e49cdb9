import type { Schema } from "effect"
import { isObject, type JsonObject } from "../open-document.ts"
import { isSealed } from "../SealedReasoning.ts"
import { isUnchanged } from "../unchanged.ts"
import { notTakenBack } from "./encode-parts.ts"
import type { GeminiEncoding } from "./encoding.ts"
import { fieldOf, itemsOf } from "./proto-document.ts"
import { signFirstCall } from "./unsigned-calls.ts"

/**
 * The contents of a request that goes on as its caller wrote it, without what the API would refuse of turns that another
 * provider made: proofs that were sealed for the caller, which no server of this format could read, and calls that nobody
 * signed, where the model wants them signed. Nothing where all of them can be taken.
 */
export const takeableContents = ({ contents }: JsonObject, encoding: GeminiEncoding): JsonObject => {
  const written = itemsOf(contents)
  const kept = written.flatMap((content) => takeable(content, encoding))
  return isUnchanged(kept, written) ? {} : { contents: kept }
}

const takeable = (content: Schema.Json, encoding: GeminiEncoding): ReadonlyArray<Schema.Json> => {
  if (!isObject(content) || content["role"] !== "model") return [content]
  const written = itemsOf(content["parts"])
  const parts = written.flatMap(unsealed)
  if (!isUnchanged(parts, written)) encoding.dropped(...notTakenBack)
  if (encoding.traits.wantsSignatures) signFirstCall(parts, encoding)
  if (isUnchanged(parts, written)) return [content]
  // The API refuses a turn without parts.
  return parts.length === 0 ? [] : [{ ...content, parts }]
}

/** What is left of a part without its seal: a call, which is one without a signature then. */
const unsealed = (part: Schema.Json): ReadonlyArray<Schema.Json> => {
  if (!isObject(part)) return [part]
  const signature = fieldOf(part, "thoughtSignature")
  if (typeof signature !== "string" || !isSealed(signature)) return [part]
  const { thoughtSignature: _, thought_signature: __, ...call } = part
  return fieldOf(call, "functionCall") === undefined ? [] : [call]
}
