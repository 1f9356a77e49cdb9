import { Result } from "effect"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { tokenCount } from "../token-counts.ts"
import type { Protocol } from "../Protocol.ts"
import { encodeRequest } from "./encode-request.ts"

/** What of a request is counted; a server refuses what else one to be answered has. */
const counted = [
  "model",
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "reasoning",
  "truncation",
  "previous_response_id",
  "conversation",
  "personality"
]

const countable = (body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([field]) => counted.includes(field)))

/** How a server of the Responses API is asked for the size of a request. */
export const countTokens: NonNullable<Protocol["countTokens"]> = {
  encode: (request, context) =>
    Result.map(encodeRequest(request, context), ({ path, body, ...encoded }) => ({
      ...encoded,
      path: `${path}/input_tokens`,
      body: countable(body)
    })),
  read: (body) => tokenCount(fieldsOf(body)["input_tokens"])
}
