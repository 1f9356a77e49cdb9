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

const ofChat = presetNames.filter((name) => {
  const { protocols, quirks }: Preset = presets[name]
  return protocols[0] === "openai-chat" && Object.keys(quirks).length > 0
})

describe.each(ofChat)("%s", (name) => {
  const { quirks }: Preset = presets[name]

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
