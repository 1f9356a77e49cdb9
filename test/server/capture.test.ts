import { assert, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Reactivity } from "effect/reactivity"
import { CallRecord } from "../../src/audit/CallRecord.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"
import { temporaryFolder } from "../storage/temporary.ts"
import { ask, askChat, callIdOf, ended, recordOf, Running, running, until } from "./running.ts"
import { json } from "./simulate/server.ts"

/** What may stand nowhere but with the model that is captured. */
const secret = "marmalade"

const said = `This is useless, ${secret}! I want to speak to a human, now. My card is 4111 1111 1111 1111.`

const quoting = JSON.stringify({ error: { message: `I cannot answer: ${secret}`, type: "invalid_request_error" } })

const script = [
  { model: "quoter", reply: { raw: quoting, status: 400, contentType: "application/json" } },
  { model: "broken", reply: { raw: `data: {"choices": ${secret}\n\n` } },
  { model: "judge", reply: JSON.stringify({ verdict: "refuse", reason: `it says ${secret}` }) },
  { model: "teller", reply: "useless" },
  { model: "confider", reply: `It is ${secret}.` },
  { model: "kind-judge", reply: JSON.stringify({ verdict: "pass" }) }
]

const target = (model: string) => [{ provider: "chat", model }]
const watched = ["watch", "kind"]

const models = {
  plain: { targets: target("echo"), filters: ["watch"] },
  quiet: { targets: target("echo"), filters: watched, capture: "off" },
  measured: { targets: target("echo"), filters: watched, capture: "metadata" },
  short: { targets: target("echo"), captureLimit: "1KiB" },
  "also-quiet": { alias: "quiet" },
  judged: { targets: target("echo"), filters: ["harsh"], capture: "off" },
  handing: { targets: target("echo"), filters: ["give"] },
  "handing-late": { targets: target("teller"), filters: ["give-late"] },
  confider: { targets: target("confider"), capture: "off" },
  quoter: { targets: [...target("quoter"), ...target("quoter")], capture: "off" },
  broken: { targets: target("broken"), capture: "metadata" },
  // what these are told is kept, unless who asks them does not keep it
  judge: { targets: target("judge") },
  "kind-judge": { targets: target("kind-judge") }
}

const filters = {
  watch: { kind: "block", words: [secret], action: "observe" },
  give: { kind: "block", words: [secret], action: "hand-off", target: "quiet", on: ["request"] },
  "give-late": {
    kind: "block",
    words: ["useless"],
    action: "hand-off",
    target: "confider",
    on: ["answer"]
  },
  kind: { kind: "model", model: "kind-judge", policy: "Anything goes.", on: ["request"] },
  harsh: { kind: "model", model: "judge", policy: "Nothing goes.", on: ["request"] }
}

const tools = [{ type: "function", function: { name: `${secret}_tool`, parameters: { type: "object" } } }]

const asking = (model: string, more: object = {}) =>
  askChat(model, { messages: [{ role: "user", content: `${said} (${model})` }], tools, ...more })

/** Everything in a folder. */
const contentOf = (folder: string): string =>
  existsSync(folder)
    ? readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), "latin1"))
        .join("\n")
    : ""

const Tables = Schema.Array(Schema.Struct({ name: Schema.String }))

/** Everything in all tables of a PostgreSQL database. */
const tablesOf = (address: string) =>
  Effect.gen(function* () {
    const client = yield* PgClient.make({ url: Redacted.make(address), maxConnections: 1 })
    const tables = yield* Schema.decodeUnknownEffect(Tables)(
      yield* client.unsafe("select tablename as name from pg_tables where schemaname = 'public'")
    )
    const rows = yield* Effect.forEach(tables, ({ name }) => client.unsafe(`select t::text as row from ${name} t`))
    return JSON.stringify(rows)
  }).pipe(Effect.provide(Reactivity.layer), Effect.scoped, Effect.orDie)

describeDatabases("what models say of capture", (kind) => {
  const isSqlite = kind === "sqlite"

  /** Runs a server over a database and a sink, and gives all that is in them when it has ended. */
  const keptOf = <A, E>(program: Effect.Effect<A, E, Running>, sections: object = {}) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const address = isSqlite ? join(folder, "calls.db") : yield* freshDatabase(kind)
      const options = {
        models,
        script,
        storage: isSqlite ? `sqlite:${address}` : address,
        sections: {
          filters,
          signals: { content: true },
          audit: { durability: "strict", sinks: [{ kind: "jsonl", path: join(folder, "calls.jsonl") }] },
          ...sections
        }
      }
      const result = yield* Effect.scoped(Effect.provide(program, running(options), { local: true }))
      const content = contentOf(folder) + (isSqlite ? "" : yield* tablesOf(address))
      return { result, content }
    })

  it.live(
    "keeps nothing of what is said to those that are not captured, in any table or sink",
    () =>
      Effect.gen(function* () {
        const { content, result } = yield* keptOf(
          Effect.gen(function* () {
            const statuses: Array<number> = []
            for (const model of ["quiet", "measured", "also-quiet", "judged", "handing", "quoter", "broken"]) {
              for (const stream of [true, false]) {
                const seen = yield* asking(model, { stream })
                statuses.push(seen.status)
                yield* recordOf(seen)
              }
            }
            // what it is asked is kept, what the other one answered is not
            const late = yield* askChat("handing-late", { stream: false })
            assert.include(late.text, secret)
            assert.strictEqual((yield* recordOf(late)).outcome?.kind, "HandedOff")
            // signals are read shortly after their calls
            const list = Effect.map(ask("/v1/signals?limit=100"), (seen) => json(seen).data)
            const reports = yield* until(list, (data) => data.length >= 3)
            const { audit } = yield* Running
            const { data } = yield* audit.list({ limit: 100 })
            return { statuses, reports, data }
          })
        )
        assert.include(result.statuses, 200)
        assert.include(result.statuses, 400)
        const at = content.toLowerCase().indexOf(secret)
        assert.strictEqual(at, -1, content.slice(Math.max(0, at - 300), at + 100))
        for (const record of result.data) {
          assert.notInclude(JSON.stringify(yield* Schema.encodeEffect(CallRecord)(record)), secret)
        }
        const judgements = result.data.filter(({ model }) => model.endsWith("judge"))
        assert.isAbove(judgements.length, 4)
        assert.isTrue(judgements.every(({ request }) => request?.body === undefined))
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "keeps of the others what the document says, up to their own sizes",
    () =>
      Effect.gen(function* () {
        const { content, result } = yield* keptOf(
          Effect.gen(function* () {
            const plain = yield* recordOf(yield* asking("plain"))
            const measured = yield* recordOf(yield* asking("measured"))
            const quiet = yield* recordOf(yield* asking("quiet"))
            const short = yield* askChat("short", { messages: [{ role: "user", content: "word ".repeat(2000) }] })
            return { plain, measured, quiet, short: yield* ended(callIdOf(short)) }
          })
        )
        assert.include(content.toLowerCase(), secret)
        const { measured, plain, quiet, short } = result
        assert.include(JSON.stringify(plain.request?.body), secret)
        assert.include(plain.findings?.[0]?.excerpt, secret)
        assert.deepStrictEqual([measured.request?.body, typeof measured.request?.sha256], [undefined, "string"])
        assert.deepStrictEqual([quiet.request, quiet.response], [undefined, undefined])
        assert.lengthOf(quiet.findings ?? [], plain.findings?.length ?? 0)
        assert.isUndefined(short.request?.body)
        assert.strictEqual(short.request?.excerpt?.head.length, 512)
        assert.isBelow(short.response?.text?.length ?? 0, 1200)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "keeps of models that say nothing what the default says",
    () =>
      Effect.gen(function* () {
        const { content } = yield* keptOf(
          Effect.gen(function* () {
            for (const model of ["short", "chat/echo"]) yield* recordOf(yield* asking(model))
          }),
          { audit: { durability: "strict", capture: "off" } }
        )
        assert.notInclude(content.toLowerCase(), secret)
      }).pipe(Effect.scoped),
    60_000
  )
})
