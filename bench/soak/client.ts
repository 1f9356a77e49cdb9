/** Makes a call of a soak as its client would, and tells how it went. */
import { request, type IncomingMessage } from "node:http"
import { Effect } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import { gemini } from "../../src/protocols/gemini/outbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import { openAiResponses } from "../../src/protocols/openai-responses/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import type { WireFrame } from "../../src/wire/Frame.ts"
import type { Api, SoakCall } from "./workload.ts"

/**
 * `whole`: the answer with its end. `told`: a failure in the words of the API. `cut`: neither, which must not be.
 * `left`: the client was gone before.
 */
export type Ending = "whole" | "told" | "cut" | "left"

/** What a client saw of its call. */
export interface SeenCall {
  readonly ending: Ending
  readonly text: string
  readonly status?: number
  readonly callId?: string
}

const protocols: { readonly [api in Api]: Protocol } = {
  "openai-chat": openAiChat,
  "openai-responses": openAiResponses,
  "anthropic-messages": anthropicMessages,
  gemini
}

const hello = [{ role: "user", content: "hello" }]

const requestOf = ({
  api,
  model: { name: model },
  stream
}: SoakCall): { readonly path: string; readonly body: object } => {
  switch (api) {
    case "openai-chat":
      return { path: "/v1/chat/completions", body: { model, stream, messages: hello } }
    case "openai-responses":
      return { path: "/v1/responses", body: { model, stream, input: "hello" } }
    case "anthropic-messages":
      return { path: "/v1/messages", body: { model, stream, max_tokens: 1000, messages: hello } }
    case "gemini":
      return {
        path: `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
        body: { contents: [{ role: "user", parts: [{ text: "hello" }] }] }
      }
  }
}

/** What an answer says, and how it ends, as an SDK of its API reads it. */
const read = ({ api, stream }: SoakCall, body: Buffer): { readonly text: string; readonly ending: Ending } => {
  const protocol = protocols[api]
  const events: Array<LlmEvent> = []
  const failed = stream
    ? decodeStream(protocol, body, events)
    : protocol.decodeWhole(JSON.parse(body.toString()), events)
  const text = events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")
  const isWhole = failed === undefined && events.at(-1)?._tag === "Finish"
  const isTold = failed !== undefined && failed.reason._tag !== "IncompleteStream"
  return { text, ending: isWhole ? "whole" : isTold ? "told" : "cut" }
}

const decodeStream = (protocol: Protocol, body: Buffer, events: Array<LlmEvent>) => {
  const framing = protocol.frames()
  const decoder = protocol.decoder()
  const frames: Array<WireFrame> = []
  framing.feed(body, frames)
  framing.end(frames)
  for (const frame of frames) {
    const failed = decoder.step(frame, events)
    if (failed !== undefined) return failed
  }
  return decoder.halt(events)
}

const seenOf = (call: SoakCall, response: IncomingMessage, body: Buffer): SeenCall => {
  const { headers, statusCode: status = 0 } = response
  const id = headers["x-millrace-call-id"]
  const head = { status, ...(typeof id === "string" ? { callId: id } : {}) }
  return status === 200 ? { ...head, ...read(call, body) } : { ...head, text: "", ending: "told" }
}

/** Makes the call. Its client may leave, or cancel it by another request, meanwhile. */
export const make = (origin: string, call: SoakCall): Effect.Effect<SeenCall> =>
  Effect.callback((resume) => {
    const { body, path } = requestOf(call)
    const headers = { "content-type": "application/json", "x-request-id": call.id }
    const sent = request(`${origin}${path}`, { method: "POST", agent: false, headers })
    const timers: Array<NodeJS.Timeout> = []
    const end = (seen: SeenCall): void => {
      timers.forEach(clearTimeout)
      resume(Effect.succeed(seen))
    }
    sent.on("error", () => end({ ending: "cut", text: "" }))
    sent.on("response", (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => end(seenOf(call, response, Buffer.concat(chunks))))
      response.on("error", () => end({ ...seenOf(call, response, Buffer.concat(chunks)), ending: "cut" }))
      const id = response.headers["x-millrace-call-id"]
      if (call.cancelsAfter !== undefined && typeof id === "string") {
        timers.push(setTimeout(() => cancel(origin, id), call.cancelsAfter))
      }
    })
    sent.end(JSON.stringify(body))
    if (call.leavesAfter !== undefined) {
      timers.push(
        setTimeout(() => {
          end({ ending: "left", text: "" })
          sent.destroy()
        }, call.leavesAfter)
      )
    }
  })

const cancel = (origin: string, id: string): void => {
  const sent = request(`${origin}/v1/calls/${id}/cancel`, { method: "POST", agent: false })
  sent.on("error", () => {})
  sent.on("response", (response) => response.resume())
  sent.end()
}
