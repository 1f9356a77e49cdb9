import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ask, recordOf, running } from "../running.ts"

const secret = "jane.doe@example.com"
const harmless = "nobody at all"

const sse = (events: ReadonlyArray<{ readonly type: string }>): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("")

/** A search that the provider runs: what it found stands in the frame that begins its block, which no event tells yet. */
const search = (found: string) => {
  const result = {
    type: "web_search_tool_result",
    tool_use_id: "srv_1",
    content: [{ type: "web_search_result", title: found, url: "https://a.example/", encrypted_content: "e" }]
  }
  const use = { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }
  const usage = { input_tokens: 3, output_tokens: 1 }
  const message = { id: "msg_1", type: "message", role: "assistant", model: "search", content: [], usage }
  return {
    stream: sse([
      { type: "message_start", message },
      { type: "content_block_start", index: 0, content_block: use },
      {
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: `{"query":"${found.slice(0, 7)}` }
      },
      {
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: `${found.slice(7)}"}` }
      },
      { type: "content_block_stop", index: 0 },
      { type: "content_block_start", index: 1, content_block: result },
      { type: "content_block_stop", index: 1 },
      { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "Found." } },
      { type: "content_block_stop", index: 2 },
      { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 9 } },
      { type: "message_stop" }
    ] as ReadonlyArray<{ readonly type: string }>),
    whole: JSON.stringify({
      ...message,
      stop_reason: "end_turn",
      stop_sequence: null,
      content: [{ ...use, input: { query: found } }, result, { type: "text", text: "Found." }]
    })
  }
}

/** Tools that the provider runs, whose input streams in events of their own. */
const hosted = (found: string) => {
  const code = { type: "code_interpreter_call", id: "ci_1", code: `print("${found}")`, container_id: "c", outputs: [] }
  const mcp = {
    type: "mcp_call",
    id: "mcp_1",
    server_label: "s",
    name: "look",
    arguments: JSON.stringify({ q: found }),
    output: `It is ${found}.`
  }
  const text = {
    type: "message",
    id: "m_1",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: "Found.", annotations: [] }]
  }
  const response = { id: "resp_1", object: "response", created_at: 1, model: "hosted", output: [], usage: null }
  const items = [
    { ...code, status: "completed" },
    { ...mcp, status: "completed" },
    { type: "yet_unknown_call", id: "x_1", text: found },
    text
  ]
  const complete = {
    ...response,
    status: "completed",
    output: items,
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 }
  }
  const pieces = (whole: string) => [whole.slice(0, 12), whole.slice(12)]
  const events = [
    { type: "response.created", response: { ...response, status: "in_progress" } },
    { type: "response.output_item.added", output_index: 0, item: { ...code, code: "", status: "in_progress" } },
    ...pieces(code.code).map((delta) => ({
      type: "response.code_interpreter_call_code.delta",
      output_index: 0,
      delta
    })),
    { type: "response.code_interpreter_call_code.done", output_index: 0, code: code.code },
    { type: "response.output_item.done", output_index: 0, item: items[0] },
    {
      type: "response.output_item.added",
      output_index: 1,
      item: { ...mcp, arguments: "", output: null, status: "in_progress" }
    },
    ...pieces(mcp.arguments).map((delta) => ({ type: "response.mcp_call_arguments.delta", output_index: 1, delta })),
    { type: "response.mcp_call_arguments.done", output_index: 1, arguments: mcp.arguments },
    { type: "response.output_item.done", output_index: 1, item: items[1] },
    { type: "response.output_item.added", output_index: 2, item: { type: "yet_unknown_call", id: "x_1", text: "" } },
    ...pieces(found).map((delta) => ({ type: "response.yet_unknown_call.delta", output_index: 2, delta })),
    { type: "response.output_item.done", output_index: 2, item: items[2] },
    { type: "response.output_item.added", output_index: 3, item: { ...text, content: [], status: "in_progress" } },
    { type: "response.output_text.delta", output_index: 3, content_index: 0, delta: "Found." },
    { type: "response.output_item.done", output_index: 3, item: text },
    { type: "response.completed", response: complete }
  ]
  return {
    stream: sse(events.map((event, at) => ({ ...event, sequence_number: at }))),
    whole: JSON.stringify(complete)
  }
}

const scripted = Object.entries({ search, hosted }).flatMap(([name, of]) =>
  Object.entries({ secret, harmless }).flatMap(([what, found]) => {
    const { stream, whole } = of(found)
    return [
      { model: `${name}-${what}-stream`, reply: { raw: stream, contentType: "text/event-stream" } },
      { model: `${name}-${what}-whole`, reply: { raw: whole, contentType: "application/json" } }
    ]
  })
)

const providers = { search: "messages", hosted: "openai-responses" }

const server = running({
  formats: ["openai-responses"],
  script: scripted,
  sections: {
    filters: {
      pii: { kind: "redact", packs: ["email"], on: ["answer"] },
      no: { kind: "block", words: [secret], on: ["answer"] }
    }
  },
  models: Object.fromEntries(
    Object.entries(providers).flatMap(([name, provider]) =>
      ["secret", "harmless"].flatMap((what) =>
        ["stream", "whole"].flatMap((how) =>
          ["pii", "no"].map((filter) => [
            `${name}-${what}-${how}-${filter}`,
            { targets: [{ provider, model: `${name}-${what}-${how}` }], filters: [filter] }
          ])
        )
      )
    )
  )
})

const asking: { readonly [name in keyof typeof providers]: (model: string, stream: boolean) => object } = {
  search: (model, stream) => ({ model, stream, max_tokens: 99, messages: [{ role: "user", content: "Search." }] }),
  hosted: (model, stream) => ({ model, stream, input: "Search." })
}
const paths = { search: "/v1/messages", hosted: "/v1/responses" }

layer(server, { excludeTestServices: true })("tools that a provider runs", (it) => {
  for (const name of ["search", "hosted"] as const) {
    for (const how of ["stream", "whole"] as const) {
      const request = (what: string, filter: string) =>
        ask(paths[name], { body: asking[name](`${name}-${what}-${how}-${filter}`, how === "stream") })

      it.effect(`say nothing that is to be hidden, in what they are asked and what they answer: ${name}, ${how}`, () =>
        Effect.gen(function* () {
          const seen = yield* request("secret", "pii")
          assert.strictEqual(seen.status, 200, seen.text)
          assert.include(seen.text, "[EMAIL]")
          assert.include(seen.text, "Found.")
          assert.notMatch(seen.text, /jane|example\.com/)
          assert.notMatch(JSON.stringify(yield* recordOf(seen)), /jane|example\.com/)
        })
      )
      it.effect(`are not heard where they say what is not allowed: ${name}, ${how}`, () =>
        Effect.gen(function* () {
          const seen = yield* request("secret", "no")
          assert.strictEqual(seen.status, 200, seen.text)
          assert.notMatch(seen.text, /jane|example\.com|Found/)
          assert.deepInclude((yield* recordOf(seen)).outcome, { kind: "Refused", by: "no" })
        })
      )
      it.effect(`are heard to the byte where there is nothing to hide: ${name}, ${how}`, () =>
        Effect.gen(function* () {
          const sent = (name === "search" ? search : hosted)(harmless)[how]
          assert.strictEqual((yield* request("harmless", "pii")).text, sent)
        })
      )
    }
  }
})
