import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync, globSync, readFileSync } from "node:fs"
import { askChat, askMessages, ask, askRaw, folderOf, json, startSimulator, waitUntil, type Seen } from "./server.ts"

const frame = (text: string) => `data: {"id":"r1","choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`
const frames = [frame("Grüße"), ": a comment\r\n\r\n", frame("👋🏽"), frame("end"), "data: [DONE]\n\n"]
const stream = frames.join("")
const first = (count: number) => frames.slice(0, count).join("")

const files = {
  "chat/hello.stream.sse": stream,
  "chat/hello.stream.meta.json": JSON.stringify({ status: 200, content_type: "text/event-stream", shows: ["text"] }),
  "chat/hello.json": '  {"object": "chat.completion"}\n',
  "chat/hello.meta.json": JSON.stringify({ status: 200, content_type: "application/json" }),
  "chat/limited.json": '{"error":{"message":"slow down"}}',
  "chat/limited.meta.json": JSON.stringify({ status: 429, content_type: "application/problem+json" }),
  "chat/hello.request.json": "{}",
  "index.json": "{}",
  "bare.sse": stream
}

/** A request for a model, on the path of each format. */
const asks: { readonly [wire: string]: (url: string, model: string, stream: boolean) => Effect.Effect<Seen, Error> } = {
  "openai-chat": (url, model, stream) => askChat(url, model, { stream }),
  "openai-responses": (url, model, stream) => ask(`${url}/v1/responses`, { body: { model, stream, input: "Hi" } }),
  "openai-completions": (url, model, stream) => ask(`${url}/v1/completions`, { body: { model, stream, prompt: "Hi" } }),
  anthropic: (url, model, stream) => askMessages(url, model, { stream }),
  gemini: (url, model, stream) => {
    const action = stream ? "streamGenerateContent" : "generateContent"
    const body = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] }
    return ask(`${url}/v1beta/models/${encodeURIComponent(model)}:${action}`, { body })
  },
  "gemini-interactions": (url, model, stream) =>
    ask(`${url}/v1beta/interactions`, { body: { model, stream, input: "Hi" } }),
  "bedrock-converse": (url, model, stream) => {
    const body = { messages: [{ role: "user", content: [{ text: "Hi" }] }] }
    return ask(`${url}/model/${encodeURIComponent(model)}/${stream ? "converse-stream" : "converse"}`, { body })
  },
  "bedrock-invoke-anthropic": (url, model, stream) => {
    const body = { anthropic_version: "x", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] }
    return ask(`${url}/model/${encodeURIComponent(model)}/${stream ? "invoke-with-response-stream" : "invoke"}`, {
      body
    })
  },
  ollama: (url, model, stream) => ask(`${url}/api/chat`, { body: { model, stream, messages: [message] } }),
  "cohere-v2": (url, model, stream) => ask(`${url}/v2/chat`, { body: { model, stream, messages: [message] } })
}
const message = { role: "user", content: "Hi" }

const withFiles = Effect.gen(function* () {
  return yield* startSimulator({ replay: yield* folderOf(files) })
})

describe("replaying recordings", () => {
  it.live("answers the exact bytes with the recorded status and content type", () =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      const streamed = yield* askChat(url, "replay/chat/hello.stream")
      assert.deepStrictEqual(streamed.body, Buffer.from(stream))
      assert.strictEqual(streamed.headers["content-type"], "text/event-stream")
      assert.strictEqual(streamed.ending, "end")
      const whole = yield* askMessages(url, "replay/chat/hello", { stream: false })
      assert.deepStrictEqual(whole.body, Buffer.from(files["chat/hello.json"]))
      const limited = yield* askChat(url, "replay/chat/limited")
      assert.deepStrictEqual([limited.status, limited.text], [429, files["chat/limited.json"]])
      assert.strictEqual(limited.headers["content-type"], "application/problem+json")
      const bare = yield* askChat(url, "replay/bare")
      assert.deepStrictEqual([bare.text, bare.headers["content-type"]], [stream, "text/event-stream; charset=utf-8"])
    })
  )

  it.live("goes before a script that answers for every other name", () =>
    Effect.gen(function* () {
      const answers = JSON.stringify([
        { model: "*", reply: "Who?" },
        { model: "replay/chat/limited", reply: "Me." }
      ])
      const folder = yield* folderOf({ ...files, "answers.json": answers })
      const { url } = yield* startSimulator({ replay: folder, script: `${folder}/answers.json` })
      assert.strictEqual((yield* askChat(url, "replay/chat/hello")).text, stream)
      assert.include((yield* askChat(url, "replay/chat/limited")).text, "Me.")
      assert.strictEqual((yield* askChat(url, "replay/chat/unknown")).status, 404)
      assert.include((yield* askChat(url, "echo")).text, "Who?")
    })
  )

  it.live("takes a name without .stream for the kind of answer that is asked", () =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      assert.strictEqual((yield* askChat(url, "replay/chat/hello")).text, stream)
      assert.strictEqual((yield* askChat(url, "replay/chat/hello", { stream: false })).text, files["chat/hello.json"])
    })
  )

  it.live("lists the recordings, and nothing that is none", () =>
    Effect.gen(function* () {
      const { models } = yield* withFiles
      const listed = models.filter((model) => model.startsWith("replay/"))
      assert.deepStrictEqual(listed, [
        "replay/bare",
        "replay/chat/hello",
        "replay/chat/hello.stream",
        "replay/chat/limited"
      ])
    })
  )

  it.live("never leaves the folder", () =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      const outside = [
        "../bare",
        "chat/../bare",
        "/etc/hostname",
        "chat/%2e%2e/bare",
        "..\\bare",
        "chat/hello.request",
        ""
      ]
      for (const name of outside) {
        const seen = yield* askChat(url, `replay/${name}`)
        assert.strictEqual(seen.status, 404, name)
        assert.strictEqual(json(seen).error.code, "model_not_found")
      }
    })
  )

  it.live("writes byte by byte, and in random pieces that follow from the seed", () =>
    Effect.gen(function* () {
      const { port } = yield* withFiles
      const bytes = yield* askRaw(port, "replay/bare?one-byte")
      assert.deepStrictEqual(bytes.body, Buffer.from(stream))
      assert.deepStrictEqual([...new Set(bytes.sizes)], [1])
      const seven = yield* askRaw(port, "replay/bare?split=7")
      const again = yield* askRaw(port, "replay/bare?split=7")
      const eight = yield* askRaw(port, "replay/bare?split=8")
      for (const { body } of [seven, again, eight]) assert.deepStrictEqual(body, Buffer.from(stream))
      assert.deepStrictEqual(seven.sizes, again.sizes)
      assert.notDeepEqual(seven.sizes, eight.sizes)
      assert.isAbove(seven.sizes.length, 3)
    })
  )

  const wire = new URL("../../../../shared/wire/", import.meta.url)
  it.live.skipIf(!existsSync(wire))(
    "replays a whole corpus to the byte, every format on its own path, also in pieces (left out where there is none)",
    () =>
      Effect.gen(function* () {
        const { url } = yield* startSimulator({ replay: wire.pathname })
        const metas = globSync("**/*.meta.json", { cwd: wire.pathname }).toSorted()
        assert.isAbove(metas.length, 500)
        const check = (path: string) =>
          Effect.gen(function* () {
            const meta = JSON.parse(readFileSync(new URL(path, wire), "utf8"))
            const folder = path.slice(0, path.lastIndexOf("/"))
            const model = `replay/${folder}/${meta.name}?split=${path.length}`
            const seen = yield* asks[meta.wire]!(url, model, meta.stream)
            assert.isTrue(seen.body.equals(readFileSync(new URL(`${folder}/${meta.body}`, wire))), path)
            assert.strictEqual(seen.status, meta.status, path)
            assert.strictEqual(seen.headers["content-type"], meta.content_type ?? seen.headers["content-type"], path)
          })
        yield* Effect.forEach(metas, check, { concurrency: 4 })
      })
  )
})

describe("faults on the wire", () => {
  const cut = (name: string, check: (seen: Seen) => void) =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      check(yield* askChat(url, `replay/bare?${name}`))
    })

  it.live("truncate: the body ends well after so many frames", () =>
    Effect.gen(function* () {
      for (const after of [0, 1, 3, 99]) {
        yield* cut(`truncate=${after}`, (seen) => {
          assert.deepStrictEqual([seen.status, seen.text, seen.ending], [200, first(after), "end"])
        })
      }
    })
  )

  it.live("reset: the connection breaks after so many frames, or before the head", () =>
    Effect.gen(function* () {
      for (const after of [1, 3, 99]) {
        yield* cut(`reset=${after}`, (seen) => {
          assert.deepStrictEqual([seen.status, seen.text, seen.ending], [200, first(after), "broken"])
        })
      }
      const { log, url } = yield* withFiles
      const error = yield* Effect.flip(askChat(url, "replay/bare?reset"))
      assert.match(error.message, /hang up|ECONNRESET/)
      assert.strictEqual(log.stats().requests.reset, 1)
    })
  )

  it.live("malformed: a frame that is not JSON, then the rest", () =>
    cut("malformed=2", (seen) => {
      const broken = `${frames[2]?.trimEnd().slice(0, -1)}\n\n`
      assert.strictEqual(seen.text, first(2) + broken + frames.slice(2).join(""))
      assert.strictEqual(seen.ending, "end")
    })
  )

  it.live("error: the dialect's own error in the stream, and no terminator", () =>
    cut("error=2&status=503&message=gone", (seen) => {
      assert.isTrue(seen.text.startsWith(first(2)))
      const last = seen.text.slice(first(2).length)
      const data = last.split("\n").find((line) => line.startsWith("data: "))
      assert.strictEqual(JSON.parse(data?.slice(6) ?? "").error.message, "gone")
      assert.notInclude(last, "[DONE]")
    })
  )

  it.live("stall: so many frames, then an open connection that is silent until it is left", () =>
    Effect.gen(function* () {
      const { log, url } = yield* withFiles
      const seen = yield* askChat(url, "replay/bare?stall=3", {}, { enough: (text) => text.length >= first(3).length })
      assert.strictEqual(seen.text, first(3))
      yield* waitUntil(() => log.stats().requests.aborted === 1)
      const [entry] = log.requests()
      assert.strictEqual(entry?.state, "aborted")
      assert.strictEqual(entry?.sentBytes, Buffer.byteLength(first(3)))
      assert.strictEqual(log.stats().lastAbortedAt, entry?.endedAt)
    })
  )

  it.live("hang: no head; leaving is seen", () =>
    Effect.gen(function* () {
      const { log, url } = yield* withFiles
      const fiber = yield* Effect.forkChild(askChat(url, "replay/bare?hang"))
      yield* waitUntil(() => log.requests()[0]?.model !== undefined)
      assert.deepStrictEqual([log.stats().requests.open, log.requests()[0]?.status], [1, undefined])
      yield* Fiber.interrupt(fiber)
      yield* waitUntil(() => log.stats().requests.aborted === 1)
      assert.strictEqual(log.stats().requests.open, 0)
    })
  )

  it.live("status: the dialect's error, with the hint to come back", () =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      for (const status of [400, 401, 403, 404, 408, 418, 429, 500, 503, 529]) {
        const chat = yield* askChat(url, `echo?status=${status}&message=no`)
        assert.deepStrictEqual([chat.status, json(chat).error.message], [status, "no"])
        const messages = yield* askMessages(url, `replay/bare?status=${status}&message=no`)
        assert.deepStrictEqual([messages.status, json(messages).type], [status, "error"])
      }
      const limited = yield* askChat(url, "echo?status=429&retry-after=2")
      assert.strictEqual(limited.headers["retry-after"], "2")
      const soon = yield* askChat(url, "echo?status=429&retry-after=250ms")
      assert.deepStrictEqual([soon.headers["retry-after"], soon.headers["retry-after-ms"]], ["1", "250"])
    })
  )

  it.live("times: the fault strikes so often, then all is well, until the simulator is told to begin anew", () =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      const model = "replay/bare?status=503&times=2"
      const statuses = yield* Effect.replicateEffect(
        Effect.map(askChat(url, model), (seen) => seen.status),
        3
      )
      assert.deepStrictEqual(statuses, [503, 503, 200])
      yield* ask(`${url}/_simulate/requests`, { method: "DELETE" })
      assert.strictEqual((yield* askChat(url, model)).status, 503)
    })
  )

  it.live("hit whole answers too", () =>
    Effect.gen(function* () {
      const { url } = yield* withFiles
      const whole = (fault: string) => askChat(url, `replay/chat/hello?${fault}`, { stream: false })
      const text = files["chat/hello.json"]
      const half = text.slice(0, Math.floor(text.length / 2))
      const truncated = yield* whole("truncate=1")
      assert.deepStrictEqual([truncated.text, truncated.ending], [half, "end"])
      const broken = yield* whole("reset=1")
      assert.deepStrictEqual([broken.text, broken.ending], [half, "broken"])
      assert.strictEqual((yield* whole("malformed")).text, text.slice(0, -1))
      assert.strictEqual((yield* whole("error")).status, 500)
    })
  )
})
