import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { formats } from "../../src/providers/formats.ts"

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
