import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { foldEvents, type LlmResponse } from "../../../src/domain/LlmResponse.ts"
import { decodeStream, decodeWhole } from "../../protocols/corpus.ts"
import { speakers } from "../../protocols/speakers.ts"
import { mcpService, service, type Body } from "../../filters/remote/services.ts"
import { ask, recordOf, Running, running } from "../running.ts"
import type { Seen } from "../simulate/server.ts"
import { type Case, casesFor, cuts, script, secret } from "./cases.ts"

type Format = "openai-chat" | "anthropic-messages" | "openai-responses" | "gemini"

const providers: { readonly [format in Format]: string } = {
  "openai-chat": "chat",
  "anthropic-messages": "messages",
  "openai-responses": "openai-responses",
  gemini: "gemini"
}
const formats = Object.keys(providers) as ReadonlyArray<Format>

interface Dialect {
  readonly name: string
  readonly format: Format
  /** how a request is made in it */
  readonly request: (model: string, stream: boolean) => { readonly path: string; readonly body: object }
}

const content = "Who is it?"
const geminiBody = { contents: [{ role: "user", parts: [{ text: content }] }] }

const dialects: ReadonlyArray<Dialect> = [
  {
    name: "openai-chat",
    format: "openai-chat",
    request: (model, stream) => ({
      path: "/v1/chat/completions",
      body: { model, stream, messages: [{ role: "user", content }] }
    })
  },
  {
    name: "anthropic-messages",
    format: "anthropic-messages",
    request: (model, stream) => ({
      path: "/v1/messages",
      body: { model, stream, max_tokens: 500, messages: [{ role: "user", content }] }
    })
  },
  {
    name: "openai-responses",
    format: "openai-responses",
    request: (model, stream) => ({ path: "/v1/responses", body: { model, stream, input: content } })
  },
  {
    name: "gemini",
    format: "gemini",
    request: (model, stream) => ({
      path: `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
      body: geminiBody
    })
  },
  {
    name: "gemini-array",
    format: "gemini",
    request: (model) => ({ path: `/v1beta/models/${model}:streamGenerateContent`, body: geminiBody })
  }
]

/** A provider of the dialect's own format, whose frames pass as they are, and one of another. */
const upstreamsOf = ({ format }: Dialect): ReadonlyArray<Format> => [
  format,
  formats[(formats.indexOf(format) + 1) % formats.length]!
]

const judged = (body: Body | undefined) => {
  const text = body?.window?.text ?? ""
  return text.includes(secret) ? { action: "replace", text: text.replaceAll(secret, "somebody") } : { action: "allow" }
}

/** Names of models are options away from what the simulator plays: `redact.chat.2`, and with a fault `redact.chat.2.reset`. */
const faults: { readonly [name: string]: string } = {
  whole: "",
  truncate: "&truncate=9",
  reset: "&reset=12",
  error: "&error=7&message=no",
  left: "&pace=1ms"
}

const modelsFor = (cases: ReadonlyArray<Case>) =>
  Object.fromEntries(
    Object.values(providers).flatMap((provider) =>
      cases.flatMap(({ name, answer }) =>
        Array.from({ length: cuts }, (_, cut) => cut).flatMap((cut) =>
          Object.entries(faults).map(([fault, options]) => [
            `${name}.${provider}.${cut}.${fault}`,
            {
              targets: [{ provider, model: `${answer}-${cut}?split=${cut + 1}${options}` }],
              filters: [name],
              rescue: "off"
            }
          ])
        )
      )
    )
  )

const simple = (model: string) => ({ targets: [{ provider: "chat", model: `${model}-0` }] })

/** A server with every filter, and services for those that ask one. */
const serverWith = (capture: "off" | "metadata" | "full") =>
  Layer.unwrap(
    Effect.gen(function* () {
      const http = yield* service(({ body, url }) => {
        const reply = judged(body)
        const refuses = url.endsWith("?refuse") && reply.action === "replace"
        return { status: 200, body: JSON.stringify(refuses ? { action: "refuse", reason: "no names" } : reply) }
      })
      const mcp = yield* mcpService((body) => ({ structuredContent: judged(body) }))
      const cases = casesFor({ http: http.url, mcp: mcp.url })
      return running({
        formats: ["openai-responses", "gemini"],
        script,
        sections: {
          audit: { durability: "strict", capture },
          filters: Object.fromEntries(cases.map(({ name, filter }) => [name, filter]))
        },
        models: {
          ...modelsFor(cases),
          other: simple("other"),
          refusing: simple("refusing"),
          replacing: simple("replacing")
        }
      })
    })
  )

const cases = casesFor({ http: "", mcp: "" })

/** What a caller understands of an answer. */
const understood = ({ format }: Dialect, seen: Seen, stream: boolean): LlmResponse => {
  const { protocol } = speakers.find(({ protocol }) => protocol.id === format)!
  const isStream = stream && !seen.text.startsWith("[")
  if (seen.text.startsWith("[")) {
    const frames = (JSON.parse(seen.text) as ReadonlyArray<unknown>).map((one) => `data: ${JSON.stringify(one)}\n\n`)
    return foldEvents(decodeStream(protocol, [Buffer.from(frames.join(""))]).frames.flatMap(({ events }) => events))
  }
  return foldEvents(
    isStream
      ? decodeStream(protocol, [seen.body]).frames.flatMap(({ events }) => events)
      : decodeWhole(protocol, seen.body).frames.flatMap(({ events }) => events)
  )
}

const partsOf = (response: LlmResponse) => {
  const parts = response.choices[0]?.parts ?? []
  const said = (tag: "Text" | "Reasoning") => parts.map((part) => (part._tag === tag ? part.text : "")).join("")
  const call = parts.find((part) => part._tag === "ToolCall")
  const argument = call?._tag === "ToolCall" ? (JSON.parse(call.arguments) as { readonly to: string }).to : ""
  return { text: said("Text"), reasoning: said("Reasoning"), argument }
}

/** Nothing that a caller, the records or the log get to see holds the secret, not even the greater part of it. */
const assertHidden = Effect.fnUntraced(function* (seen: Seen, record: unknown) {
  const { log } = yield* Running
  for (const text of [seen.text, JSON.stringify(seen.headers), JSON.stringify(record), log.join("\n")]) {
    assert.notMatch(text, /jane\.|doe@|example\.com/)
  }
})

const deliveries = ({ name }: Dialect) => (name === "gemini-array" ? [true] : [true, false])

layer(serverWith("full"), { excludeTestServices: true, timeout: 60_000 })("an answer that was filtered", (it) => {
  for (const { name, left, outcome } of cases) {
    for (const dialect of dialects) {
      it.effect(`is the same however it is asked for and comes: ${name}, in ${dialect.name}`, () =>
        Effect.gen(function* () {
          const expected = { text: "", reasoning: "", argument: "", ...left }
          for (const format of upstreamsOf(dialect)) {
            for (let cut = 0; cut < cuts; cut++) {
              for (const stream of deliveries(dialect)) {
                const how = `from ${format}, cut ${cut}, ${stream ? "streamed" : "whole"}`
                const { path, body } = dialect.request(`${name}.${providers[format]}.${cut}.whole`, stream)
                const seen = yield* ask(path, { body })
                const record = yield* recordOf(seen)
                assert.deepInclude(record.outcome, outcome, how)
                if (name === "model-parallel") {
                  assert.strictEqual(seen.status, 400, seen.text)
                } else {
                  assert.strictEqual(seen.status, 200, seen.text)
                  const caller = partsOf(understood(dialect, seen, stream))
                  assert.strictEqual(caller.text, expected.text, how)
                  assert.strictEqual(caller.argument, expected.argument, how)
                }
                const { findings: _, ...rest } = record
                const { text = "", reasoning = "", toolCalls = [] } = record.response ?? {}
                assert.strictEqual(text, expected.text, how)
                assert.strictEqual(reasoning, expected.reasoning, how)
                assert.strictEqual(toolCalls.length, expected.argument === "" ? 0 : 1, how)
                for (const call of toolCalls)
                  assert.deepStrictEqual(JSON.parse(call.arguments), { to: expected.argument }, how)
                yield* assertHidden(seen, rest)
              }
            }
          }
        })
      )
    }
  }
})

describe.each(["metadata", "off"] as const)("with capture %s", (capture) => {
  layer(serverWith(capture), { excludeTestServices: true, timeout: 60_000 })("what is to be hidden", (it) => {
    for (const { name } of cases) {
      // Without any content in the records there is less that could go wrong.
      for (const dialect of capture === "off" ? dialects.slice(0, 1) : dialects) {
        it.effect(`is nowhere, also where the answer breaks off: ${name}, in ${dialect.name}`, () =>
          Effect.gen(function* () {
            for (const format of upstreamsOf(dialect)) {
              for (const [fault, cut] of Object.keys(faults).map((fault, at) => [fault, at % cuts] as const)) {
                for (const stream of deliveries(dialect)) {
                  if (fault === "left" && (!stream || format !== dialect.format)) continue
                  const { path, body } = dialect.request(`${name}.${providers[format]}.${cut}.${fault}`, stream)
                  const leaves = fault === "left"
                  const enough = (text: string) => /Write|I am|It is/.test(text)
                  const seen = yield* ask(path, { body, ...(leaves ? { enough } : {}) })
                  yield* assertHidden(seen, yield* recordOf(seen))
                }
              }
            }
          })
        )
      }
    }
  })
})
