import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { ask, recordOf, running } from "../running.ts"

const secret = "jane.doe@example.com"
const text = `Write to ${secret}.`

/**
 * A conversation in which everybody says it: the user, the assistant in a tool call, the tool, and what the caller
 * tells of itself.
 */
const requests: ReadonlyArray<readonly [path: string, body: object]> = [
  [
    "/v1/chat/completions",
    {
      model: "smart",
      stream: true,
      user: secret,
      metadata: { who: secret },
      messages: [
        { role: "system", content: text },
        { role: "user", content: [{ type: "text", text }] },
        {
          role: "assistant",
          tool_calls: [
            { id: "c", type: "function", function: { name: "mail", arguments: JSON.stringify({ to: secret }) } }
          ]
        },
        { role: "tool", tool_call_id: "c", content: text },
        { role: "user", content: text }
      ]
    }
  ],
  [
    "/v1/messages",
    {
      model: "smart",
      max_tokens: 100,
      system: text,
      metadata: { user_id: secret },
      messages: [
        { role: "user", content: text },
        { role: "assistant", content: [{ type: "tool_use", id: "c", name: "mail", input: { to: secret } }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "c", content: text }] },
        { role: "user", content: text }
      ]
    }
  ],
  [
    "/v1/responses",
    {
      model: "smart",
      instructions: text,
      input: [
        { role: "user", content: text },
        { type: "function_call", call_id: "c", name: "mail", arguments: JSON.stringify({ to: secret }) },
        { type: "function_call_output", call_id: "c", output: text },
        { role: "user", content: text }
      ]
    }
  ],
  [
    "/v1beta/models/smart:generateContent",
    {
      systemInstruction: { parts: [{ text }] },
      contents: [
        { role: "user", parts: [{ text }] },
        { role: "model", parts: [{ functionCall: { name: "mail", args: { to: secret } } }] },
        { role: "user", parts: [{ functionResponse: { name: "mail", response: { said: text } } }] },
        { role: "user", parts: [{ text }] }
      ]
    }
  ],
  ["/v1/embeddings", { model: "smart", input: [text], user: secret }],
  ["/v1/chat/completions", { model: "wary", messages: [{ role: "user", content: `${text} never` }] }]
]

describe("a database of records", () => {
  it.live("holds nothing that filters hid, in any table, whatever is kept", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const server = running({
        storage: `sqlite:${folder}/records.db`,
        sections: {
          filters: { pii: { kind: "redact" }, never: { kind: "block", words: ["never"] } },
          everyCall: { filters: ["pii"] },
          signals: {}
        },
        models: {
          smart: { targets: [{ provider: "chat", model: "echo" }] },
          wary: { targets: [{ provider: "chat", model: "echo" }], filters: ["never"] }
        }
      })
      yield* Effect.gen(function* () {
        for (const [path, body] of requests) {
          const seen = yield* ask(path, { body })
          assert.include([200, 400], seen.status, seen.text)
          yield* recordOf(seen)
        }
        const listed = yield* ask("/v1/calls?limit=100")
        assert.notInclude(listed.text, "example.com")
      }).pipe(Effect.provide(Layer.fresh(server)), Effect.scoped)
      const found = yield* files.readDirectory(folder)
      assert.include(found, "records.db")
      const contents = yield* Effect.forEach(found, (name) => files.readFile(`${folder}/${name}`))
      const bytes = Buffer.concat(contents).toString("latin1")
      assert.include(bytes, "[EMAIL]")
      assert.notInclude(bytes, "example.com")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
