import type { LlmRequest, Message, Sampling, Tool } from "../../../src/domain/LlmRequest.ts"
import type { UpstreamRequest } from "../../../src/routing/Upstream.ts"

export const user = (text: string): Message => ({ role: "user", parts: [{ _tag: "Text", text }] })

export const request = (model: string, more: Partial<LlmRequest> = {}): LlmRequest => ({
  model,
  messages: [user("Say it back, please.")],
  sampling: {},
  ...more
})

export const sampled = (model: string, sampling: Sampling): LlmRequest => request(model, { sampling })

/** What an attempt told about itself. */
export interface Told {
  readonly heads: Array<number>
  readonly notices: Array<string>
}

export const attempt = (
  request: LlmRequest,
  delivery: "stream" | "whole" = "stream",
  told: Told = { heads: [], notices: [] }
): UpstreamRequest => ({
  request,
  model: request.model,
  delivery,
  dialect: undefined,
  origin: undefined,
  observer: {
    connected: () => undefined,
    head: (status) => told.heads.push(status),
    bytes: () => undefined,
    notice: (notice) => told.notices.push(notice.code)
  }
})

export const weather: Tool = {
  _tag: "Function",
  name: "get_weather",
  inputSchema: {
    type: "object",
    properties: {
      city: { type: "string" },
      unit: { enum: ["celsius", "fahrenheit"] },
      days: { type: "integer", minimum: 1, maximum: 7 }
    },
    required: ["city", "unit"]
  }
}

export const clock: Tool = {
  _tag: "Function",
  name: "get_time",
  inputSchema: { type: "object", properties: { zone: { type: "string" } } }
}
