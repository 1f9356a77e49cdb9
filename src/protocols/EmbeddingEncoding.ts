import { Result, type Schema } from "effect"
import type { EmbeddingRequest } from "../domain/Embedding.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Notices } from "./Notices.ts"
import type { JsonObject } from "./open-document.ts"
import type { EncodedRequest } from "./Protocol.ts"

/** A request for vectors in a format whose models take texts alone. */
export interface TextsToEmbed {
  readonly texts: ReadonlyArray<string>
  readonly dimensions: number | undefined
  /** what the caller said that this format knows by the same name */
  readonly own: JsonObject
}

/**
 * Encodes a request for vectors. `known` are the fields that the format takes over from the caller's document; what else
 * stands there is noticed as dropped. Tokens are refused: they are numbers out of another model's vocabulary.
 */
export const encodeTexts = (
  { input, dimensions, user, rest }: EmbeddingRequest,
  api: string,
  known: ReadonlyArray<string>,
  encode: (asked: TextsToEmbed) => Pick<EncodedRequest, "path" | "body">
): Result.Result<EncodedRequest, LlmError> => {
  if (input._tag === "Tokens") {
    return Result.fail(
      failure({ _tag: "Unsupported", feature: "input" }, `${api} embeds texts, not tokens: send the input as texts`)
    )
  }
  const notices = new Notices(`${api} has no counterpart`)
  if (user !== undefined) notices.dropped("user")
  const own: Record<string, Schema.Json> = {}
  for (const [name, value] of Object.entries(rest)) {
    if (known.includes(name)) own[name] = value
    else notices.dropped(name)
  }
  const encoded = encode({ texts: input.texts, dimensions, own })
  return Result.succeed({ ...encoded, headers: {}, notices: notices.list })
}
