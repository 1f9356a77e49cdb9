import { assert, describe, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { hash } from "node:crypto"
import { connect } from "node:net"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { StorageError } from "../../src/storage/Database.ts"
import { ask, askChat, callIdOf, recordOf, Running, running, until, userMessage } from "./running.ts"
import { json } from "./simulate/server.ts"

const real = { excludeTestServices: true } as const

const labelled = (labels: string) => ({ headers: { "x-millrace-labels": labels } })

const ids = (query: string) =>
  Effect.map(ask(`/v1/calls?${query}`), (seen) => json(seen).data.map(({ id }: { readonly id: string }) => id))

/** The rows of a CSV document; what is quoted may hold anything. */
const parseCsv = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split(/\r\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .slice(0, -1)
    .map((line) =>
      line
        .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)
        .map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell))
    )

layer(running(), real)("the list of calls", (it) => {
  it.effect("is filtered by labels and by what was said, with everything else", () =>
    Effect.gen(function* () {
      const saying = (content: string, labels: string) =>
        askChat("chat/echo", { stream: false, messages: [{ role: "user", content }] }, labelled(labels))
      const one = yield* saying('a "green" tea, naïvely', "team=search,env=prod")
      const other = yield* saying("a coffee", "team=search,env=test")
      const [tea, coffee] = [callIdOf(one), callIdOf(other)]
      yield* recordOf(one)
      yield* recordOf(other)
      const asked: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
        ["label=team%3Dsearch", [coffee, tea]],
        ["label=team%3Dsearch&label=env%3Dprod", [tea]],
        ["label=team%3Dother", []],
        [`text=${encodeURIComponent('"GREEN" tea, naïvely')}`, [tea]],
        ["text=a&label=env%3Dtest&status=ended&outcome=Completed&model=chat/echo&from=0", [coffee]],
        ["text=a&to=1000", []]
      ]
      for (const [query, expected] of asked) assert.deepStrictEqual(yield* ids(query), expected, query)
    })
  )

  it.effect("says what is wrong with a question", () =>
    Effect.gen(function* () {
      for (const [query, message] of [
        ["modle=smart", 'There is no parameter "modle" here; there are status, outcome, model'],
        ["label=team", "label has to be name=value"],
        ["label=%3Dx", "label has to be name=value"],
        ["label=a%3Db&".repeat(1000), "label has to be given 50 times at most"],
        ["model=", "model has to be a text"],
        ["model=a&model=b", "model has to be given once"],
        ["outcome=completed", "outcome has to be one of Completed"],
        ["format=xml", "format has to be one of json, jsonl, csv"],
        ["follow=all", "follow has to be one of ended, begun"],
        ["follow=ended&limit=5", "limit"],
        ["from=yesterday", "from has to be a time such as"],
        // read as something else, each of these would choose everything
        ["from=1795258922", "or in milliseconds since 1970"],
        ["from=12", "from has to be a time such as"],
        ["from=2026-02-30", "from has to be a time such as"],
        ["to=2026-06-31T00:00:00Z", "to has to be a time such as"],
        ["to=Nov%2021", "to has to be a time such as"],
        ["limit=0", "limit has to be a whole number from 1 on"],
        ["format=csv&limit=many", "limit has to be a whole number from 1 on"],
        ["format=jsonl&cursor=x", "cursor is not one"],
        ["format=jsonl&modle=x", 'There is no parameter "modle" here']
      ] as const) {
        const seen = yield* ask(`/v1/calls?${query}`)
        assert.isAtLeast(seen.status, 400, query)
        assert.isBelow(seen.status, 423, query)
        assert.include(json(seen).error.message, message)
      }
    })
  )

  it.effect("goes out as lines of JSON with all that was said, and as CSV that is harmless in a spreadsheet", () =>
    Effect.gen(function* () {
      const long = "a long story ".repeat(3000)
      const seen: Array<string> = []
      for (const label of ["=1+2", "  +1", "plain", 'a "b"; c', "@me"]) {
        const body = { stream: false, user: "u", messages: [{ role: "user", content: long }] }
        const answered = yield* askChat("chat/echo", body, labelled(`team=export,odd=${label}`))
        seen.unshift(callIdOf(answered))
        yield* recordOf(answered)
      }
      const lines = yield* ask("/v1/calls?format=jsonl&label=team%3Dexport")
      assert.strictEqual(lines.headers["content-type"], "application/jsonl; charset=utf-8")
      const records = lines.text
        .trimEnd()
        .split("\n")
        .map((line): CallRecord => JSON.parse(line))
      assert.deepStrictEqual(
        records.map(({ id }) => id),
        seen
      )
      const { audit } = yield* Running
      assert.deepStrictEqual(records[0], JSON.parse(JSON.stringify(yield* audit.get(seen[0]!))))
      assert.include(JSON.stringify(records[0]?.request?.body), long)

      const csv = yield* ask("/v1/calls?format=csv&label=team%3Dexport")
      assert.match(csv.headers["content-type"] ?? "", /^text\/csv/)
      const [names = [], ...rows] = parseCsv(csv.text)
      const column = (name: string) => rows.map((row) => row[names.indexOf(name)])
      assert.deepStrictEqual(column("id"), seen)
      assert.deepStrictEqual(column("labels"), [
        "team=export,odd=@me",
        'team=export,odd=a "b"; c',
        "team=export,odd=plain",
        "team=export,odd=+1",
        "team=export,odd==1+2"
      ])
      assert.isTrue(rows.every((row) => row.length === names.length))
      assert.deepStrictEqual(
        column("outcome"),
        Array.from(seen, () => "Completed")
      )
      assert.lengthOf((yield* ask("/v1/calls?format=jsonl&label=team%3Dexport&limit=2")).text.trimEnd().split("\n"), 2)
      const head = yield* ask("/v1/calls?format=csv", { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
      const none = yield* ask("/v1/calls?format=csv&model=nobody")
      assert.deepStrictEqual(parseCsv(none.text), [names])
      assert.strictEqual((yield* ask("/v1/calls?format=jsonl&model=nobody")).text, "")
    })
  )

  it.effect("is not kept from anybody by a request that cannot be shown", () =>
    Effect.gen(function* () {
      const body = `{"model":"chat/echo","messages":[${JSON.stringify(userMessage)}],"odd":1e400}`
      const seen = yield* ask("/v1/chat/completions", { body, headers: { "x-millrace-labels": "odd=endless" } })
      const record = yield* recordOf(seen)
      assert.deepStrictEqual(record.request, { bytes: body.length, sha256: hash("sha256", body, "hex") })
      for (const query of ["", "&format=jsonl", "&format=csv"]) {
        const listed = yield* ask(`/v1/calls?label=odd%3Dendless${query}`)
        assert.strictEqual(listed.status, 200)
        assert.include(listed.text, callIdOf(seen))
      }
      assert.strictEqual((yield* ask(`/v1/calls/${callIdOf(seen)}`)).status, 200)
    })
  )

  it.effect("is one of everything that is listed at the root", () =>
    Effect.gen(function* () {
      const { text } = yield* ask("/")
      for (const route of [
        "POST /v1/chat/completions",
        "POST /v1/messages/count_tokens",
        "POST /v1/embeddings",
        "GET  /v1/models",
        "GET  /v1/calls",
        "GET  /v1/calls/*",
        "POST /v1/calls/*",
        "GET  /v1/usage",
        "GET  /metrics",
        "GET  /admin/api/targets",
        "POST /admin/api/keys/*/rotate",
        "GET  /healthz"
      ]) {
        assert.include(text.split("\n"), route)
      }
    })
  )
})

const recordAt = (n: number): CallRecord => ({
  id: `call_${n}`,
  model: "=cmd()",
  delivery: "whole",
  status: "open",
  attempts: [],
  notices: [],
  timings: { openedAt: n },
  caller: {},
  conversation: "c".repeat(10_000)
})

let read = 0
let isLetGo = false
const endless = Stream.fromEffectRepeat(
  Effect.sync(() => {
    const page = read++
    return Array.from({ length: 100 }, (_, n) => recordAt(page * 100 + n))
  })
).pipe(
  Stream.ensuring(
    Effect.sync(() => {
      isLetGo = true
    })
  )
)

const unreadable = new StorageError({ operation: "query", kind: "unavailable", message: "the disk is gone" })

describe("an export", () => {
  layer(running({ records: { pages: () => endless } }), real)("of endless records", (it) => {
    it.effect(
      "reads no more than its caller takes, and nothing once that is gone",
      () =>
        Effect.gen(function* () {
          const { port } = yield* Running
          const socket = yield* Effect.acquireRelease(
            Effect.sync(() => connect(port, "127.0.0.1")),
            (socket) => Effect.sync(() => socket.destroy())
          )
          socket.pause()
          socket.write("GET /v1/calls?format=jsonl HTTP/1.1\r\nhost: localhost\r\n\r\n")
          yield* until(
            Effect.sync(() => read),
            (pages) => pages > 0
          )
          // what nobody takes fills the buffers of the connection and is then waited for
          let quiet = 0
          let last = read
          yield* until(
            Effect.sync(() => {
              quiet = read === last ? quiet + 1 : 0
              last = read
              return quiet
            }),
            (rounds) => rounds > 20
          )
          assert.isBelow(read, 100)
          socket.destroy()
          yield* until(
            Effect.sync(() => isLetGo),
            (gone) => gone
          )
        }).pipe(Effect.scoped),
      30_000
    )
  })

  const broken = Stream.concat(
    Stream.succeed([recordAt(1)]),
    // what was written has to be on its way before the connection breaks
    Stream.fromEffect(Effect.delay(Effect.fail(unreadable), "50 millis"))
  )

  layer(running({ records: { pages: () => broken } }), real)("of records that cannot be read to the end", (it) => {
    it.effect("breaks off rather than ending", () =>
      Effect.gen(function* () {
        const seen = yield* ask("/v1/calls?format=csv")
        assert.deepStrictEqual([seen.status, seen.ending], [200, "broken"])
        assert.include(seen.text, "'=cmd()")
      })
    )
  })

  layer(running({ records: { pages: () => Stream.fail(unreadable) } }), real)(
    "of records that cannot be read",
    (it) => {
      it.effect("is refused with a status", () =>
        Effect.gen(function* () {
          for (const format of ["csv", "jsonl"]) {
            const seen = yield* ask(`/v1/calls?format=${format}`)
            assert.strictEqual(seen.status, 503)
            assert.include(json(seen).error.message, "cannot be read now")
          }
        })
      )
    }
  )
})
