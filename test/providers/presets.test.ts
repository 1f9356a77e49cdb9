import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { contentFeatures } from "../../scripts/formats/content-features.ts"
import { plainest } from "../../scripts/formats/requests.ts"
import { settingFeatures } from "../../scripts/formats/setting-features.ts"
import { dialects, targets } from "../../scripts/formats/table.ts"
import { toolFeatures } from "../../scripts/formats/tool-features.ts"
import { nextRequest, turnFeatures } from "../../scripts/formats/turns.ts"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import { isRefused } from "../../src/protocols/openai-chat/refused.ts"
import type { Quirks } from "../../src/protocols/Protocol.ts"
import { quirksFor } from "../../src/providers/peculiar.ts"
import { presetNames, presets, type Preset } from "../../src/providers/presets.ts"

interface Asked {
  readonly name: string
  readonly request: LlmRequest
  readonly body: object
  readonly dialect: string
}

/** Everything that callers can ask for, one thing at a time, in the words of every dialect. */
const asked: ReadonlyArray<Asked> = dialects.flatMap(([id, dialect]) => {
  const read = (name: string, body: object): ReadonlyArray<Asked> => {
    const decoded = dialect.decode(body as never) // documents of the scripts
    return Result.isSuccess(decoded) ? [{ name: `${id}: ${name}`, body, dialect: id, ...decoded.success }] : []
  }
  const features = [...contentFeatures, ...toolFeatures, ...settingFeatures]
  return [
    ...features.flatMap((feature) =>
      feature.asked[id] === undefined ? [] : read(feature.name, { ...plainest[id], ...feature.asked[id] })
    ),
    ...turnFeatures.flatMap(({ name, began }) =>
      targets.flatMap((target) =>
        read(`${name} (${target})`, { ...plainest[id], ...nextRequest(dialect, id, began(target)).fields })
      )
    )
  ]
})

/** The vendors that speak Chat Completions, and those of their models that are peculiar. */
const ofChat = presetNames.flatMap((name): ReadonlyArray<readonly [string, Quirks]> => {
  const { protocols, quirks, peculiar = [] }: Preset = presets[name]
  if (protocols[0] !== "openai-chat" || Object.keys(quirks).length === 0) return []
  return [[name, quirks], ...peculiar.map(([models, more]) => [`${name} ${models}`, { ...quirks, ...more }] as const)]
})

const quirksOf = (name: keyof typeof presets, model: string) => Object.keys(quirksFor(model, presets[name]))

describe("models of xAI", () => {
  it.each(["grok-4", "grok-4-0709", "grok-4-1-fast-reasoning", "grok-4.20-0309-reasoning", "grok-code-fast-1"])(
    "that think as they do are not told how much, nor where to stop: %s",
    (model) => expect(quirksOf("xai", model)).toEqual(expect.arrayContaining(["noReasoningEffort", "noStop"]))
  )

  it.each(["grok-3-mini", "grok-4.3", "grok-4.5-latest", "grok-4.20-multi-agent-0309", "grok-5", "grok-latest"])(
    "that can be told how much are: %s",
    (model) => {
      expect(quirksOf("xai", model)).toContain("noStop")
      expect(quirksOf("xai", model)).not.toContain("noReasoningEffort")
    }
  )

  it.each(["grok-3", "grok-4-1-fast-non-reasoning", "grok-4.20-0309-non-reasoning"])(
    "that do not think are told where to stop: %s",
    (model) => {
      expect(quirksOf("xai", model)).toContain("noReasoningEffort")
      expect(quirksOf("xai", model)).not.toContain("noStop")
    }
  )
})

describe("models of others", () => {
  it("are known by their names", () => {
    for (const model of ["kimi-k2.6", "kimi-k2.7-code", "kimi-k3", "kimi-k3.1-pro"])
      expect(quirksOf("moonshot", model)).toContain("fixedSampling")
    for (const model of ["moonshot-v1-8k", "kimi-k2-0905-preview"])
      expect(quirksOf("moonshot", model)).not.toContain("fixedSampling")
    expect(quirksOf("alibaba", "qwen3.7-plus")).toContain("noForcedCalls")
    expect(quirksOf("alibaba", "qwen-plus")).not.toContain("noForcedCalls")
    expect(quirksOf("groq", "llama-3.3-70b-versatile")).toContain("noReasoningEffort")
    expect(quirksOf("groq", "openai/gpt-oss-120b")).toEqual(Object.keys(presets.groq.quirks))
    for (const model of ["qwq-plus", "qwen3-32b", "qwen3-next-80b-a3b-thinking", "qwen3-omni-flash"])
      expect(quirksOf("alibaba", model)).toContain("onlyStreams")
    for (const model of ["qwen3-max", "qwen3.7-plus", "qwen-mt-plus"])
      expect(quirksOf("alibaba", model)).not.toContain("onlyStreams")
    expect(quirksFor("grok-4", presets.openrouter)).toBe(presets.openrouter.quirks)
  })
})

describe.each(ofChat)("%s", (_name, quirks) => {
  it("is asked for nothing that it is known to refuse, whoever asks for what", () => {
    expect(asked.length).toBeGreaterThan(300)
    const refusedAs = (heeded: Quirks) =>
      asked.flatMap(({ body, dialect, name, request }) => {
        const origin = { protocol: dialect, body: body as never, text: JSON.stringify(body), headers: {} }
        const own = dialect === openAiChat.id ? origin : undefined
        const context = { model: "target", delivery: "whole", quirks: heeded, origin: own } as const
        const encoded = openAiChat.encode(request, context)
        return Result.isSuccess(encoded) && isRefused(encoded.success.body, quirks) ? [name] : []
      })
    expect(refusedAs({}).length).toBeGreaterThan(0)
    expect(refusedAs(quirks)).toEqual([])
  })
})
