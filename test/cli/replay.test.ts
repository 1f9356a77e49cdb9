import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { compare } from "../../src/cli/replay/compare.ts"
import { lengthOf, type Moment, type Recording } from "../../src/cli/replay/Recording.ts"
import { replay, type Replayed } from "../../src/cli/replay/run.ts"
import { textDifference } from "../../src/cli/replay/texts.ts"
import { callOf } from "../../src/domain/prompt.ts"
import { type Asked, mcpService, service } from "../filters/remote/services.ts"
import { ask } from "../server/simulate/server.ts"
import { loading } from "../config/loading.ts"
import { assistant, requestOf, user } from "../signals/reading.ts"
import { folderWith, millrace, serving } from "./running.ts"

const said = (moments: ReadonlyArray<readonly [at: number, text: string]>, end: number): ReadonlyArray<Moment> => [
  {
    at: moments[0]?.[0] ?? 0,
    events: [
      { _tag: "Started", id: "a", model: "m" },
      { _tag: "TextStart", id: "t" }
    ]
  },
  ...moments.map(([at, text]) => ({ at, events: [{ _tag: "TextDelta" as const, id: "t", text }] })),
  {
    at: end,
    events: [
      { _tag: "TextEnd", id: "t" },
      { _tag: "Finish", reason: "stop", usage: { source: "none" } }
    ]
  }
]

const recording = (id: string, openedAt: number, answer: ReadonlyArray<Moment>, text = "hello"): Recording => ({
  id,
  openedAt,
  call: callOf(requestOf(user(text))),
  answer,
  failure: undefined
})

const loop = "round and round it goes again. "
const hour = 3_600_000
const day = 24 * hour

const recordings = [
  recording("calm", day, said([[200, "A mill."]], 300)),
  recording(
    "slow",
    day + 100,
    said(
      [
        [200, "Wait"],
        [hour, " for it."]
      ],
      hour + 1000
    )
  ),
  recording(
    "looping",
    2 * day,
    said(
      Array.from({ length: 40 }, (_, n) => [100 + n * 10, loop] as const),
      600
    )
  ),
  recording("angry", 30 * day, said([[50, "Sorry."]], 60), "I give up")
]

const changed = `analyzers:
  loops: { kind: repetition, onFinding: stop }
  quiet: { kind: stall, after: 10s }
`

describe("replaying calls", () => {
  it.live("shows what other analyzers would have made of them, on the clock of the recordings", () =>
    Effect.gen(function* () {
      const before = yield* replay(yield* loading({ text: "" }), recordings)
      const after = yield* replay(yield* loading({ text: changed }), recordings)
      assert.deepInclude(before.get("slow")?.record, { firstTokenMs: 200, totalMs: hour + 1000 })
      const { changed: calls, replayed } = compare({ recordings, skipped: [] }, before, after)
      assert.strictEqual(replayed, 4)
      const differing = new Map(
        calls.map(({ differences, id }) => [id, differences.map(({ after, before, what }) => [what, before, after])])
      )
      assert.deepStrictEqual([...differing.keys()], ["slow", "looping"])
      assert.deepStrictEqual(differing.get("slow"), [
        ["finding", undefined, "stream.stall by quiet in the answer (medium, observed)"]
      ])
      assert.deepStrictEqual(differing.get("looping")?.slice(0, 1), [
        ["outcome", "Completed (stop)", "Limited by loops: repetition"]
      ])
      assert.deepStrictEqual(
        differing.get("looping")?.map(([what]) => what),
        ["outcome", "answer", "finding", "totalMs"]
      )
    })
  )

  it.live("shows other signals, and finds no difference where there is none", () =>
    Effect.gen(function* () {
      const now = yield* replay(yield* loading({ text: "" }), recordings)
      const again = yield* replay(yield* loading({ text: "" }), recordings)
      assert.deepStrictEqual(compare({ recordings, skipped: [] }, now, again).changed, [])
      const none = yield* replay(yield* loading({ text: "signals: { languages: [de] }" }), recordings)
      assert.deepStrictEqual(compare({ recordings, skipped: [] }, now, none).changed, [
        {
          id: "angry",
          openedAt: 30 * day,
          model: "any",
          differences: [
            { what: "signal", before: "interaction.disengagement.quit at message 0" },
            { what: "quality", before: "severe", after: "good" }
          ]
        }
      ])
    })
  )

  it.live("raises signals once in a conversation that goes on", () =>
    Effect.gen(function* () {
      const going: Recording = {
        ...recording("going", 31 * day, said([[1, "Yes?"]], 2)),
        call: callOf(requestOf(user("I give up"), assistant("Sorry."), user("well then")))
      }
      const found = yield* replay(yield* loading({ text: "" }), [...recordings, going])
      assert.deepStrictEqual(found.get("going")?.signals, [])
      assert.strictEqual(found.get("going")?.quality, "severe")
    })
  )
})

describe("replaying calls through services", () => {
  const configured = (filters: string, rest = "") =>
    loading({ text: `filters: ${filters}\neveryCall: { filters: [guard] }\n${rest}` })
  const slow = (answer: (asked: Asked) => object) =>
    service((asked) => ({ status: 200, body: JSON.stringify(answer(asked)), afterMs: 30 }))
  const verdict = ({ body }: Pick<Asked, "body">) => {
    const text = body?.window?.text ?? ""
    return text.includes("mill") ? { action: "replace", text: text.replace("mill", "[MILL]") } : { action: "allow" }
  }
  const differences = (
    one: ReadonlyMap<string, Replayed>,
    other: ReadonlyMap<string, Replayed>,
    of: ReadonlyArray<Recording>
  ) => compare({ recordings: of, skipped: [] }, one, other).changed.map(({ differences, id }) => ({ id, differences }))

  const apartFromTimes = (calls: ReturnType<typeof differences>) =>
    calls
      .map(({ differences, id }) => ({ id, differences: differences.filter(({ what }) => !what.endsWith("Ms")) }))
      .filter(({ differences }) => differences.length > 0)

  it.live("waits for their replies, and is the same each time", () =>
    Effect.gen(function* () {
      const http = yield* slow(verdict)
      const mcp = yield* mcpService((body) => ({ structuredContent: verdict({ body }) }))
      const short = recordings.filter((one) => lengthOf(one) < hour)
      const now = yield* replay(yield* loading({ text: "" }), short)
      for (const filter of [
        `{ guard: { kind: http, url: "${http.url}", mode: final } }`,
        `{ guard: { kind: mcp, url: "${mcp.url}", tool: check, mode: final } }`
      ]) {
        const then = yield* replay(yield* configured(filter), short)
        assert.deepStrictEqual(apartFromTimes(differences(now, then, short)), [
          {
            id: "calm",
            differences: [
              { what: "answer", before: "A mill.", after: "A [MILL]." },
              { what: "finding", after: "verdict by guard in the answer (low, changed)" }
            ]
          }
        ])
        const again = yield* replay(yield* configured(filter), short)
        assert.deepStrictEqual(differences(then, again, short), [])
      }
    }).pipe(Effect.scoped)
  )

  it.live("shows what fails, of filters of models and keys too", () =>
    Effect.gen(function* () {
      const calm = recording("calm", day, said([[200, "A mill."]], 300))
      const keyed = { ...calm, id: "keyed", openedAt: 2 * day, call: { ...calm.call, caller: { key: "ci" } } }
      const dead = '{ guard: { kind: http, url: "http://127.0.0.1:1", onFailure: open, on: [answer], mode: final } }'
      const now = yield* replay(yield* loading({ text: "" }), [calm, keyed])
      const then = yield* replay(yield* configured(dead), [calm])
      assert.deepStrictEqual(apartFromTimes(differences(now, then, [calm])), [
        { id: "calm", differences: [{ what: "failure", after: "error of guard in the answer (open)" }] }
      ])
      const auth =
        "auth: { adminKey: administrator-of-tests, keys: [{ name: ci, key: key-of-tests-ci, filters: [words] }] }"
      const text = `filters: { words: { kind: block, words: [mill] } }\n${auth}`
      const byKey = yield* replay(yield* loading({ text }), [calm, keyed])
      assert.deepStrictEqual(
        differences(now, byKey, [calm, keyed]).map(({ id }) => id),
        ["keyed"]
      )
      assert.deepInclude(byKey.get("keyed")?.record.outcome, { _tag: "Refused", by: "words" })
    })
  )
})

describe("a difference of texts", () => {
  it.each([
    ["the old mill", "the new mill", "the [-old-]{+new+} mill"],
    ["abc", "abcdef", "abc{+def+}"],
    ["", "new", "{+new+}"],
    [
      `${"x".repeat(50)}old${"y".repeat(50)}`,
      `${"x".repeat(50)}${"y".repeat(50)}`,
      `…${"x".repeat(30)}[-old-]${"y".repeat(30)}…`
    ]
  ])("%j and %j", (before, after, expected) => {
    assert.strictEqual(textDifference(before, after), expected)
  })
})

const chat = (url: string, content: string) =>
  Effect.map(
    ask(`${url}/v1/chat/completions`, {
      body: { model: "simulator/echo", stream: true, messages: [{ role: "user", content }] }
    }),
    ({ headers }) => String(headers["x-millrace-call-id"])
  )

describe("millrace replay", () => {
  it.live(
    "replays the calls of the database, the same way each time",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const place = {
          folder: yield* folderWith("millrace.yaml", "providers: { simulator: { protocol: simulator } }\n")
        }
        yield* files.writeFileString(
          `${place.folder}/changed.yaml`,
          `providers: { simulator: { protocol: simulator } }\n${changed}`
        )
        const { stop, url } = yield* serving(place)
        const looping = yield* chat(url, `It begins. ${loop.repeat(30)}`)
        const calm = yield* chat(url, "Good morning.")
        yield* ask(`${url}/v1/embeddings`, { body: { model: "simulator/echo", input: "Good morning." } })
        yield* stop
        const run = millrace(place, "replay", "--with", "changed.yaml")
        const { code, stdout } = yield* run
        assert.strictEqual(code, 0)
        assert.match(stdout, new RegExp(`^${looping}  [\\d: -]+  simulator/echo\\n`))
        assert.include(stdout, "  outcome  Completed (stop) → Limited by loops: repetition")
        assert.notInclude(stdout, calm)
        assert.include(stdout, "1 of 2 calls would have gone otherwise (outcome 1, answer 1, finding 1")
        assert.include(stdout, "1 could not be replayed: its request is for vectors, or cannot be read.")
        assert.strictEqual((yield* run).stdout, stdout)
        const json = yield* millrace(place, "replay", "--with", "changed.yaml", "--json", "--limit", "1")
        assert.deepInclude(JSON.parse(json.stdout), { replayed: 1, changed: [] })
        const later = yield* millrace(place, "replay", "--with", "changed.yaml", "--from", "2999-01-01")
        assert.include(later.stdout, "Nothing would have been otherwise in 0 calls.")
        const wrong = yield* millrace(place, "replay", "--with", "changed.yaml", "--from", "yesterday")
        assert.strictEqual(wrong.code, 1)
        assert.include(wrong.stdout + wrong.stderr, '--from: "yesterday" is no time.')
        const missing = yield* millrace(place, "replay", "--with", "none.yaml")
        assert.strictEqual(missing.code, 1)
        assert.match(missing.stdout + missing.stderr, /none\.yaml: --with: there is no such file; mend the path\n/)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "replays recorded traffic of providers, streamed and whole",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const place = { folder: yield* folderWith("changed.yaml", "analyzers: { declines: { kind: refusal } }\n") }
        const wire = `${place.folder}/wire/openai-chat`
        yield* files.makeDirectory(wire, { recursive: true })
        const write = (name: string, text: string) => files.writeFileString(`${wire}/${name}`, text)
        const chunk = (delta: object, finish: string | null = null) =>
          `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
        yield* write(
          "no.stream.sse",
          `${chunk({ content: "I'm sorry, but I can't" })}${chunk({ content: " help with that." }, "stop")}data: [DONE]\n\n`
        )
        yield* write(
          "no.stream.request.json",
          JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "Please." }] })
        )
        const message = { role: "assistant", content: "I cannot assist with that." }
        yield* write(
          "whole.json",
          JSON.stringify({
            id: "2",
            object: "chat.completion",
            model: "m",
            choices: [{ index: 0, message, finish_reason: "stop" }]
          })
        )
        yield* write("whole.meta.json", '{ "status": 200, "wire": "openai-chat" }')
        yield* write("broken.json", '{ "error": {} }')
        yield* write("broken.meta.json", '{ "status": 500, "wire": "openai-chat" }')
        const { stdout } = yield* millrace(place, "replay", "--with", "changed.yaml", "--wire", "wire")
        assert.deepStrictEqual(stdout.trim().split("\n"), [
          "openai-chat/no.stream  m",
          "  finding  + stream.refusal by declines in the answer (low, observed)",
          "",
          "openai-chat/whole  recorded",
          "  finding  + stream.refusal by declines in the answer (low, observed)",
          "",
          "2 of 2 calls would have gone otherwise (finding 2).",
          "1 could not be replayed: it is an error."
        ])
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
