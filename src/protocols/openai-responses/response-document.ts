import type { Started } from "../../domain/LlmEvent.ts"
import type { Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { RenderContext } from "../Dialect.ts"
import type { JsonObject } from "../open-document.ts"
import type { Ending } from "./finish-reasons.ts"
import { renderUsage } from "./usage.ts"

/** What a response repeats of its request, with what the API says where the caller said nothing. */
const defaults: JsonObject = {
  background: false,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: null,
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: "disabled",
  user: null
}

const repeated = ({ origin, request }: RenderContext): JsonObject => {
  const { sampling } = request
  const body: JsonObject =
    origin?.body ??
    present({ max_output_tokens: sampling.maxOutputTokens, temperature: sampling.temperature, top_p: sampling.topP })
  return Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, body[key] ?? value]))
}

/** A response as far as it is known. */
export interface ResponseState {
  readonly head: Started | undefined
  readonly status: "in_progress" | Ending["status"]
  readonly output: ReadonlyArray<JsonObject>
  readonly why?: string | undefined
  readonly usage?: Usage
}

/** The document of a response: the whole answer, and what begins and ends a stream. Nothing is stored here. */
export const responseDocument = (context: RenderContext, state: ResponseState): JsonObject => {
  const { head, status, output, why, usage } = state
  return {
    id: head?.id || context.id,
    object: "response",
    created_at: head?.created ?? context.created,
    status,
    error:
      status === "failed" ? { code: "server_error", message: "the provider ended the answer with an error" } : null,
    incomplete_details: why === undefined ? null : { reason: why },
    model: head?.model || context.request.model,
    output,
    ...repeated(context),
    ...present({ service_tier: head?.serviceTier }),
    store: false,
    access_programs: null,
    usage: usage === undefined ? null : renderUsage(usage)
  }
}
