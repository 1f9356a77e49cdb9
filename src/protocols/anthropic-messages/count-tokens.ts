import { Result } from "effect"
import type { Protocol } from "../Protocol.ts"
import { encodeRequest } from "./encode-request.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { tokenCount } from "../token-counts.ts"

/** What a request to be answered has and one to be counted must not have. */
const answering = [
  "max_tokens",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "metadata",
  "service_tier",
  "container"
]

const countable = (body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([field]) => !answering.includes(field)))

/** How a server of the Messages API is asked for the size of a request. */
export const countTokens: NonNullable<Protocol["countTokens"]> = {
  encode: (request, context) =>
    Result.map(encodeRequest(request, context), ({ path, body, ...encoded }) => ({
      ...encoded,
      path: `${path}/count_tokens`,
      body: countable(body)
    })),
  read: (body) => tokenCount(fieldsOf(body)["input_tokens"])
}
