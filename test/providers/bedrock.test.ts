import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Stream } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { Frame } from "../../src/domain/Frame.ts"
import type { Delivery } from "../../src/domain/LlmRequest.ts"
import { foldEvents, textOf } from "../../src/domain/LlmResponse.ts"
import { bedrockConverse } from "../../src/protocols/bedrock-converse/outbound.ts"
import { bedrockInvokeAnthropic } from "../../src/protocols/bedrock-invoke-anthropic/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import { bedrockAccess } from "../../src/providers/aws.ts"
import { deploymentUpstream } from "../../src/providers/Deployment.ts"
import { HttpTransport } from "../../src/providers/HttpTransport.ts"
import { prompt } from "../../src/domain/prompt.ts"
import { awsEvent, awsException } from "../../src/wire/AwsMessage.ts"
import { httpServer } from "./servers.ts"

interface Answer {
  readonly status?: number
  readonly headers?: { readonly [name: string]: string }
  readonly body: Uint8Array | string
}

const eventStream = { "content-type": "application/vnd.amazon.eventstream" }
const said = (text: string) => awsEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text } })
const converse = [
  awsEvent("messageStart", { role: "assistant" }),
  said("Hel"),
  said("lo"),
  awsEvent("contentBlockStop", { contentBlockIndex: 0 }),
  awsEvent("messageStop", { stopReason: "end_turn" }),
  awsEvent("metadata", { usage: { inputTokens: 1, outputTokens: 2 } })
]
const invoked = [
  { type: "message_start", message: { id: "m", model: "claude", content: [] } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
  { type: "content_block_stop", index: 0 },
  {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_details: { new: 1 } },
    usage: { cache_creation: {} }
  },
  { type: "message_stop" }
]
const enveloped = (event: object) => awsEvent("chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64") })
const invoke = invoked.map(enveloped)

/** Asks a server of Amazon Bedrock that gives this answer: what came, how it failed, and what it was sent. */
const asking = (protocol: Protocol, { status = 200, headers = {}, body }: Answer, delivery: Delivery = "stream") =>
  Effect.gen(function* () {
    const received: Array<{ readonly url: string | undefined; readonly headers: IncomingHttpHeaders }> = []
    const server = yield* httpServer((request, response) => {
      received.push({ url: request.url, headers: request.headers })
      response.writeHead(status, headers).end(body)
    })
    const access = bedrockAccess({ baseUrl: server.url, apiKey: Redacted.make("key") }, new Map())
    const upstream = yield* deploymentUpstream({
      provider: "bedrock",
      protocols: [protocol],
      ...Result.getOrThrow(access),
      headers: {},
      quirks: {}
    })
    const frames: Array<Frame> = []
    const observer = { connected: () => {}, head: () => {}, bytes: () => {}, notice: () => {} }
    const asked = { request: prompt("m", "Hi"), model: "a.model:1", delivery, dialect: undefined, origin: undefined }
    const error = yield* upstream.stream({ ...asked, observer }).pipe(
      Stream.runForEach((frame) => Effect.sync(() => frames.push(frame))),
      Effect.match({ onFailure: (failed): LlmError | undefined => failed, onSuccess: () => undefined })
    )
    const events = frames.flatMap((frame) => frame.events)
    return { text: textOf(foldEvents(events).choices[0]), frames, error, received: received[0]! }
  }).pipe(Effect.scoped, Effect.provide(HttpTransport.layer))

/** Asks such a server how many tokens a request has: what it is sent, and what comes of it. */
const counting = (protocol: Protocol, model: string, { status = 200, body }: Answer) =>
  Effect.gen(function* () {
    const received: Array<{ readonly url: string | undefined; readonly body: string }> = []
    const server = yield* httpServer((request, response) => {
      let text = ""
      request.setEncoding("utf8").on("data", (piece: string) => (text += piece))
      request.on("end", () => {
        received.push({ url: request.url, body: text })
        response.writeHead(status, { "content-type": "application/json" }).end(body)
      })
    })
    const access = bedrockAccess({ baseUrl: server.url, apiKey: Redacted.make("key") }, new Map())
    const upstream = yield* deploymentUpstream({
      provider: "bedrock",
      protocols: [protocol],
      ...Result.getOrThrow(access),
      headers: {},
      quirks: {}
    })
    const asked = { request: prompt("m", "Hi"), model, origin: undefined }
    const result = yield* Effect.result(upstream.countTokens!(asked))
    return { result, received: received[0] }
  }).pipe(Effect.scoped, Effect.provide(HttpTransport.layer))

describe("counting tokens on Amazon Bedrock", () => {
  const converse = { messages: [{ role: "user", content: [{ text: "Hi" }] }] }
  const claude = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

  it.live("asks for the model itself, without the regions of its profile", () =>
    Effect.gen(function* () {
      const { result, received } = yield* counting(bedrockConverse, claude, { body: '{"inputTokens":7}' })
      assert.deepStrictEqual(result, Result.succeed(7))
      assert.strictEqual(received?.url, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens")
      assert.deepStrictEqual(JSON.parse(received?.body ?? ""), { input: { converse } })
    })
  )

  it.live("gives the body of InvokeModel as bytes", () =>
    Effect.gen(function* () {
      const { result, received } = yield* counting(bedrockInvokeAnthropic, claude, { body: '{"inputTokens":8}' })
      assert.deepStrictEqual(result, Result.succeed(8))
      const { input } = JSON.parse(received?.body ?? "")
      const body: unknown = JSON.parse(Buffer.from(input.invokeModel.body, "base64").toString())
      assert.deepInclude(body, {
        anthropic_version: "bedrock-2023-05-31",
        messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }]
      })
    })
  )

  for (const [what, model, answer, reason] of [
    [
      "a model that is not counted for",
      claude,
      { status: 400, body: `{"message":"The provided model doesn't support counting tokens."}` },
      { _tag: "Unsupported", feature: "counting tokens" }
    ],
    [
      "who may not ask",
      claude,
      { status: 403, body: '{"message":"not authorized to perform bedrock:CountTokens"}' },
      { _tag: "Unsupported", feature: "counting tokens" }
    ],
    [
      "a profile of one's own",
      "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
      { body: "{}" },
      { _tag: "Unsupported", feature: "counting tokens" }
    ],
    ["a service that is busy", claude, { status: 503, body: '{"message":"busy"}' }, { _tag: "Overloaded" }]
  ] as const) {
    it.live(`says what became of it with ${what}`, () =>
      Effect.gen(function* () {
        const { result } = yield* counting(bedrockConverse, model, answer)
        assert.deepStrictEqual(Result.getOrThrow(Result.flip(result)).reason, reason)
      })
    )
  }
})

describe("a deployment on Amazon Bedrock", () => {
  for (const [protocol, messages, path] of [
    [bedrockConverse, converse, "converse-stream"],
    [bedrockInvokeAnthropic, invoke, "invoke-with-response-stream"]
  ] as const) {
    it.live(`streams ${protocol.id}`, () =>
      Effect.gen(function* () {
        const { text, error, received } = yield* asking(protocol, {
          headers: eventStream,
          body: Buffer.concat(messages)
        })
        assert.isUndefined(error)
        assert.strictEqual(text, "Hello")
        assert.strictEqual(received.url, `/model/a.model%3A1/${path}`)
        assert.strictEqual(received.headers.accept, "application/vnd.amazon.eventstream")
        assert.strictEqual(received.headers.authorization, "Bearer key")
      })
    )
  }

  it.live("has the frames of the Messages API for its callers, with all that stands in them", () =>
    Effect.gen(function* () {
      const body = Buffer.concat([enveloped({ type: "ping" }), ...invoke])
      const { frames } = yield* asking(bedrockInvokeAnthropic, { headers: eventStream, body })
      assert.isTrue(frames.every(({ protocol }) => protocol === "anthropic-messages"))
      assert.strictEqual(
        frames.map(({ raw }) => raw).join(""),
        [{ type: "ping" }, ...invoked]
          .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
          .join("")
      )
      const message = JSON.stringify({ id: "m", content: [], stop_reason: "refusal", stop_details: { new: 1 } })
      const whole = { headers: { "content-type": "application/json" }, body: message }
      const answered = yield* asking(bedrockInvokeAnthropic, whole, "whole")
      assert.deepInclude(answered.frames[0], { protocol: "anthropic-messages", raw: message })
    })
  )

  it.live("answers whole", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ output: { message: { content: [{ text: "Hello" }] } }, stopReason: "end_turn" })
      const answer = { headers: { "content-type": "application/json" }, body }
      const { text, received } = yield* asking(bedrockConverse, answer, "whole")
      assert.strictEqual(text, "Hello")
      assert.strictEqual(received.url, "/model/a.model%3A1/converse")
    })
  )

  for (const [what, last, reason] of [
    ["an exception", awsException("throttlingException", { message: "slow" }), { _tag: "RateLimited" }],
    ["damage", said("x").fill(7, 20), { _tag: "InvalidOutput", kind: "malformedFrame" }],
    ["a cut", said("x").subarray(0, 20), { _tag: "IncompleteStream", kind: "noStop" }]
  ] as const) {
    it.live(`fails with ${what} after what came before it`, () =>
      Effect.gen(function* () {
        const body = Buffer.concat([...converse.slice(0, 3), last])
        const { text, error } = yield* asking(bedrockConverse, { headers: eventStream, body })
        assert.strictEqual(text, "Hello")
        assert.deepStrictEqual(error?.reason, reason)
        assert.strictEqual(error?.fault?.provider, "bedrock")
      })
    )
  }

  it.live("fails as its error answers say", () =>
    Effect.gen(function* () {
      const headers = { "content-type": "application/json", "x-amzn-errortype": "ModelNotReadyException:http://x/" }
      const { error } = yield* asking(bedrockConverse, { status: 429, headers, body: '{"message":"wait"}' })
      assert.deepStrictEqual(error?.reason, { _tag: "Overloaded" })
      assert.deepInclude(error?.fault, { status: 429, type: "ModelNotReadyException" })
    })
  )
})
