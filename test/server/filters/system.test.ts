import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ask, Running, running } from "../running.ts"

const prompt = "Never speak of the millstone."
const own = "Be kind."

/** A response as its provider sends it: it repeats the instructions, the metadata and the user that it was sent. */
const response = {
  id: "resp_1",
  object: "response",
  created_at: 1,
  model: "echoing",
  instructions: `${prompt}\n${own}`,
  metadata: { team: "millers" },
  user: "miller-1",
  usage: null
}
const item = {
  type: "message",
  id: "m_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "Hello.", annotations: [] }]
}
const completed = {
  ...response,
  status: "completed",
  output: [item],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 }
}
const events = [
  { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
  { type: "response.in_progress", response: { ...response, status: "in_progress", output: [] } },
  { type: "response.output_item.added", output_index: 0, item: { ...item, content: [], status: "in_progress" } },
  { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hello." },
  { type: "response.output_item.done", output_index: 0, item },
  { type: "response.completed", response: completed }
].map((event, at) => ({ ...event, sequence_number: at }))
const stream = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("")

const providers = {
  "openai-chat": "chat",
  "anthropic-messages": "messages",
  "openai-responses": "openai-responses",
  gemini: "gemini"
}

const server = running({
  formats: ["openai-responses", "gemini"],
  script: [
    { model: "echoing-stream", reply: { raw: stream, contentType: "text/event-stream" } },
    { model: "echoing-whole", reply: { raw: JSON.stringify(completed), contentType: "application/json" } }
  ],
  sections: {
    filters: {
      prompt: { kind: "system", text: prompt },
      who: { kind: "metadata", set: { team: "millers" }, user: "miller-1" }
    },
    everyCall: { filters: ["prompt", "who"] }
  },
  models: Object.fromEntries([
    ...["stream", "whole"].map((how) => [
      how,
      { targets: [{ provider: "openai-responses", model: `echoing-${how}` }] }
    ]),
    ...Object.values(providers).map((provider) => [provider, { targets: [{ provider, model: "echo" }] }])
  ])
})

/** How a request with instructions is made in each API. */
const requests: {
  readonly [dialect in keyof typeof providers]: (model: string, stream: boolean) => { path: string; body: object }
} = {
  "openai-chat": (model, stream) => ({
    path: "/v1/chat/completions",
    body: {
      model,
      stream,
      messages: [
        { role: "system", content: own },
        { role: "user", content: "Hello." }
      ]
    }
  }),
  "anthropic-messages": (model, stream) => ({
    path: "/v1/messages",
    body: { model, stream, max_tokens: 100, system: own, messages: [{ role: "user", content: "Hello." }] }
  }),
  "openai-responses": (model, stream) => ({
    path: "/v1/responses",
    body: { model, stream, instructions: own, user: "me", metadata: { mine: "1" }, input: "Hello." }
  }),
  gemini: (model, stream) => ({
    path: `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    body: {
      systemInstruction: { parts: [{ text: own }] },
      contents: [{ role: "user", parts: [{ text: "Hello." }] }]
    }
  })
}

layer(server, { excludeTestServices: true })("what filters add to a request", (it) => {
  for (const [dialect, requestOf] of Object.entries(requests)) {
    for (const provider of Object.values(providers)) {
      for (const stream of [true, false]) {
        it.effect(
          `reaches the provider and nobody else: ${dialect} to ${provider}, ${stream ? "streamed" : "whole"}`,
          () =>
            Effect.gen(function* () {
              const { path, body } = requestOf(provider, stream)
              const seen = yield* ask(path, { body })
              assert.strictEqual(seen.status, 200, seen.text)
              assert.include(seen.text, "Hello.")
              const { simulator } = yield* Running
              const sent = JSON.stringify(simulator.log.requests().at(-1)?.body)
              assert.include(sent, prompt)
              assert.include(sent, own)
              assert.isBelow(sent.indexOf(prompt), sent.indexOf(own))
              assert.notMatch(seen.text + JSON.stringify(seen.headers), /millstone|miller/)
            })
        )
      }
    }
  }

  for (const how of ["stream", "whole"] as const) {
    it.effect(`is not repeated to the caller by an answer that repeats its request: ${how}`, () =>
      Effect.gen(function* () {
        const { path, body } = requests["openai-responses"](how, how === "stream")
        const seen = yield* ask(path, { body })
        assert.strictEqual(seen.status, 200, seen.text)
        assert.include(seen.text, "Hello.")
        assert.notMatch(seen.text, /millstone|miller/)
        // What the caller wrote itself is repeated to it.
        for (const written of [`"instructions":"${own}"`, '"user":"me"', '"metadata":{"mine":"1"}']) {
          assert.include(seen.text, written)
        }
      })
    )
  }
})
