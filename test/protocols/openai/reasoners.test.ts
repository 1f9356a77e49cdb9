import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import { formats } from "../../../src/providers/formats.ts"

const asked = (target: "openai-chat" | "openai-responses", model: string, effort: string) => {
  const request = { model: "smart", messages: [], sampling: {}, reasoning: { effort } }
  const context = { model, delivery: "whole", quirks: {}, origin: undefined } as const
  const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(request, context))
  return { asks: body["reasoning_effort"] ?? body["reasoning"], said: notices.map(({ message }) => message) }
}

describe("the highest effort", () => {
  it.each(["gpt-5.6", "gpt-5.6-sol", "gpt-6", "deepseek-v4-pro", "openai/gpt-5.6"])("is asked of %s", (model) => {
    expect(asked("openai-chat", model, "max")).toEqual({ asks: "max", said: [] })
    expect(asked("openai-responses", model, "max")).toEqual({ asks: { effort: "max" }, said: [] })
  })

  it.each(["gpt-5", "gpt-5-mini", "gpt-5.5", "gpt-5.2-codex", "openai/gpt-5.5", "o3"])("is another for %s", (model) => {
    const said = ["reasoning effort max is xhigh"]
    expect(asked("openai-chat", model, "max")).toEqual({ asks: "xhigh", said })
    expect(asked("openai-responses", model, "max")).toEqual({ asks: { effort: "xhigh" }, said })
    expect(asked("openai-responses", model, "high").asks).toEqual({ effort: "high" })
  })
})

describe("a temperature", () => {
  const both = ["openai-chat", "openai-responses"] as const
  const sent = (target: (typeof both)[number], model: string, request: Partial<LlmRequest>) => {
    const context = { model, delivery: "whole", quirks: {}, origin: undefined } as const
    const whole = { model: "smart", messages: [], sampling: {}, ...request }
    const { body, notices } = Result.getOrThrow(formats[target].protocol.encode(whole, context))
    const { temperature, top_p } = body
    return { drawn: { temperature, top_p }, said: notices.map(({ message }) => message.split(":")[0]) }
  }
  const low = { temperature: 0.2, topP: 0.9 }
  const high = { reasoning: { effort: "high" } }

  it.each(both)("that is the model's own is not said to one that would refuse it: %s", (target) => {
    for (const model of ["gpt-5.5", "gpt-5", "o3", "openai/gpt-5.2-codex"]) {
      expect(sent(target, model, { sampling: { temperature: 1, topP: 1 } })).toEqual({ drawn: {}, said: [] })
    }
    expect(sent(target, "llama", { sampling: { temperature: 1 } }).drawn).toEqual({ temperature: 1 })
  })

  it.each(both)("is not asked of a model while it reasons, and a notice says so: %s", (target) => {
    const said = ["temperature", "top_p"]
    for (const model of ["gpt-5", "gpt-5-mini", "o4-mini", "gpt-5.2-codex"]) {
      expect(sent(target, model, { sampling: low })).toEqual({ drawn: {}, said })
    }
    expect(sent(target, "gpt-5.5", { sampling: low, ...high })).toEqual({ drawn: {}, said })
  })

  it.each(both)("is asked of the others: %s", (target) => {
    const drawn = { temperature: 0.2, top_p: 0.9 }
    for (const model of ["gpt-4.1", "gpt-5-chat-latest", "gpt-5.5", "claude-sonnet-5", "gpt-oss-120b"]) {
      expect(sent(target, model, { sampling: low })).toEqual({ drawn, said: [] })
    }
    expect(sent(target, "gpt-5.1", { sampling: low, reasoning: { effort: "none" } }).drawn).toEqual(drawn)
  })
})
