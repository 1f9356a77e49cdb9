import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { isContent } from "../../src/domain/LlmEvent.ts"
import { foldEvents, textOf } from "../../src/domain/LlmResponse.ts"
import type { Usage } from "../../src/domain/Usage.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import {
  corpusCases,
  corpusPresent,
  decodeStream,
  decodeWhole,
  type CorpusCase,
  type Decoded
} from "../protocols/corpus.ts"
import { callIdOf, dialects, ended, errorOf, quiet, running } from "./running.ts"
import type { Seen } from "./simulate/server.ts"

type Api = (typeof dialects)[number]

const [chat, messages] = dialects
const protocolOf = { "openai-chat": openAiChat, "anthropic-messages": anthropicMessages }
const recordings = [
  { api: chat, other: messages, cases: corpusCases("openai-chat") },
  { api: messages, other: chat, cases: corpusCases("anthropic") }
]

/** Asks for a recording in the words of an API. */
const askFor = (asking: Api, served: Api, { name, stream }: CorpusCase, options = "") => {
  const usage = asking.id === "openai-chat" && stream ? { stream_options: { include_usage: true } } : {}
  return asking.ask(`${served.provider}/replay/${name}${options}`, { stream, ...usage })
}

const decode = ({ id }: Api, body: Buffer, stream: boolean): Decoded =>
  stream ? decodeStream(protocolOf[id], [body]) : decodeWhole(protocolOf[id], body)

/** Spaces between the tokens of arguments are not the same in every dialect. */
const argumentsOf = (text: string, valid: boolean): unknown => (valid ? JSON.parse(text) : text)

/** What an answer says, in words that every dialect has. */
const gistOf = (decoded: Decoded) => {
  const { choices, usage } = foldEvents(decoded.events)
  const first = choices.find(({ index }) => index === 0)
  const parts = first?.parts ?? []
  const joined = (tag: "Reasoning" | "Refusal") =>
    parts.map((part) => (part._tag === tag && "text" in part ? part.text : "")).join("")
  const tools = parts.flatMap((part) =>
    part._tag === "ToolCall" && part.providerExecuted !== true
      ? [{ id: part.id, name: part.name, arguments: argumentsOf(part.arguments, part.valid) }]
      : []
  )
  return {
    text: textOf(first),
    reasoning: joined("Reasoning"),
    refusal: joined("Refusal"),
    tools,
    finish: first?.finish?.reason,
    usage
  }
}
type Gist = ReturnType<typeof gistOf>

/**
 * What of an answer Messages can say: a refusal is text there, and its stop reason is the same as that of a filter; every
 * ending has a reason; counts are always stated, those of a cache are parts of the input, and sound is not counted apart.
 */
const inMessages = ({ finish, refusal, text, usage, ...gist }: Gist): Gist => {
  const { audioInputTokens: _, audioOutputTokens: __, ...sayable } = usage
  const { cachedTokens = 0, inputTokens = 0, outputTokens = 0 } = sayable
  return {
    ...gist,
    text: text + refusal,
    refusal: "",
    finish: refusal !== "" || finish === "content-filter" ? "refusal" : finish === "unknown" ? "stop" : finish,
    usage: { ...sayable, source: "provider", inputTokens: Math.max(inputTokens, cachedTokens), outputTokens }
  }
}

/** What a stream that fails can still say: how it would have ended, and what it cost, is told only with the end. */
const untilFailure = ({ text, reasoning, tools }: Gist) => ({ text, reasoning, tools })

/** The frames of a stream, without what may be left out: comments and surplus blank lines. The last may lack its end. */
const framesIn = (body: Buffer): ReadonlyArray<string> =>
  body
    .toString()
    .split(/(?<=\r\n\r\n|\n\n|\r\r)/)
    .map((frame) => frame.replace(/^(?:[\r\n]+|:.*(?:\r\n|\r|\n))+/gm, ""))
    .filter((frame) => frame !== "")
    .map((frame) => (/[\r\n]{2}$/.test(frame) ? frame : `${frame.trimEnd()}\n\n`))

const done = "data: [DONE]"
const isDone = (frame: string) => frame.trim() === done
const saysFinish = (frame: string) => /"finish_reason": ?"/.test(frame)

/** What the provider stated is recorded as it was; what it did not, or not to the end, is estimated and says so. */
const checkUsage = (recorded: Usage | undefined, stated: Usage, complete: boolean): void => {
  const { inputTokens, outputTokens } = stated
  if (complete && inputTokens !== undefined && outputTokens !== undefined) {
    return assert.deepStrictEqual(recorded, stated)
  }
  const { source: _, outputTokens: soFar = 0, ...kept } = stated
  assert.deepInclude(recorded, { ...kept, source: "estimated" })
  assert.isAtLeast(recorded?.inputTokens ?? 0, 1)
  assert.isAtLeast(recorded?.outputTokens ?? -1, soFar)
}

const checkVerbatim = ({ id }: Api, { body }: CorpusCase, { error }: Decoded, seen: Seen): void => {
  assert.strictEqual(seen.status, 200)
  const recorded = framesIn(body)
  const sent = framesIn(seen.body)
  if (error !== undefined) {
    // What said how the answer ends may be withheld, since it did not end so.
    const told = recorded.filter((frame) => !isDone(frame) && !saysFinish(frame))
    assert.includeMembers([...sent], told)
    assert.include(sent.at(-1), '"error"')
    return assert.isFalse(sent.some(isDone))
  }
  const complete = recorded.filter((frame) => !isDone(frame))
  const ending = id === "openai-chat" ? [recorded.find(isDone) ?? `${done}\n\n`] : []
  assert.deepStrictEqual(sent, [...complete, ...ending])
}

describe.skipIf(!corpusPresent)("recorded traffic", () => {
  const replay = fileURLToPath(new URL("../../../shared/wire", import.meta.url))

  layer(running({ replay }), { excludeTestServices: true })((it) => {
    for (const { api, other, cases } of recordings) {
      for (const recording of cases.filter(({ status }) => status === 200)) {
        const decoded = decode(api, recording.body, recording.stream)
        const { error } = decoded
        const began = decoded.events.some(isContent)
        const expected = gistOf(decoded)

        if (error !== undefined && !began) {
          it.effect(`${recording.name}, which fails before it began, is an error`, () =>
            Effect.gen(function* () {
              for (const asking of dialects) {
                const seen = yield* askFor(asking, api, recording)
                assert.isAtLeast(seen.status, 400)
                assert.strictEqual(errorOf(seen.text).message, error.message)
              }
            })
          )
          continue
        }

        it.effect(`${recording.name} comes out of its own dialect as it was`, () =>
          Effect.gen(function* () {
            for (const options of recording.stream ? ["", "?split=7"] : [""]) {
              const seen = yield* askFor(api, api, recording, options)
              if (recording.stream) checkVerbatim(api, recording, decoded, seen)
              else assert.strictEqual(seen.text, recording.body.toString())
              const record = yield* ended(callIdOf(seen))
              assert.strictEqual(record.response?.text, expected.text)
              checkUsage(record.usage, expected.usage, error === undefined)
              assert.strictEqual(record.finishReason, error === undefined ? expected.finish : undefined)
              assert.strictEqual(record.outcome?.kind, error === undefined ? "Completed" : "Failed")
              assert.strictEqual(record.delivered?.bytes, seen.body.length)
            }
          })
        )

        it.effect(`${recording.name} says the same in the other dialect`, () =>
          Effect.gen(function* () {
            const seen = yield* askFor(other, api, recording)
            const rendered = decode(other, seen.body, recording.stream)
            const sayable = other === messages ? inMessages(expected) : expected
            if (error === undefined) {
              assert.isUndefined(rendered.error)
              return assert.deepStrictEqual(gistOf(rendered), sayable)
            }
            assert.strictEqual(rendered.error?.message, error.message)
            assert.deepStrictEqual(untilFailure(gistOf(rendered)), untilFailure(sayable))
          })
        )
      }

      for (const recording of cases.filter(({ status }) => status !== 200)) {
        it.effect(`${recording.name} is the same error in both dialects`, () =>
          Effect.gen(function* () {
            const { reason, message } = protocolOf[api.id].decodeError({
              status: recording.status,
              headers: {},
              body: recording.body.toString()
            })
            for (const asking of dialects) {
              const seen = yield* askFor(asking, api, recording)
              const error = errorOf(seen.text)
              assert.strictEqual(seen.status, recording.status)
              assert.isTrue(error.message?.startsWith(message), error.message)
              assert.isString(error.type)
              const record = yield* ended(callIdOf(seen))
              assert.deepInclude(record.outcome, { kind: "Failed", reason: reason._tag, status: recording.status })
            }
          })
        )
      }
    }

    it.effect("leaves nothing behind", () => quiet)
  })
})
