import { assert, it } from "@effect/vitest"
import { Context, DateTime, Effect, Layer } from "effect"
import { Ledger } from "../../src/accounting/Ledger.ts"
import * as LedgerSql from "../../src/accounting/LedgerSql.ts"
import type { Dimension, UsageLine, UsageReport } from "../../src/accounting/Usage.ts"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"
import { ask, askChat, quiet, Running, running, until } from "./running.ts"
import { json } from "./simulate/server.ts"

const to = (model: string) => ({ provider: "chat", model })
const again = { retry: { maxAttempts: 3, initialDelay: "1ms" }, breaker: { failures: 0 } }

const models = {
  whole: { targets: [to("words-20")] },
  broken: { targets: [to("words-40?reset=5")], rescue: "off" },
  rejected: { targets: [to("words-5?status=400")] },
  retried: { targets: [to("words-5?status=500"), to("words-5")], ...again },
  slow: { targets: [to("words-200?pace=5ms")] },
  hedged: { targets: [to("words-20?first=1m"), to("words-10")], hedge: { after: "20ms" }, ...again },
  rescued: { targets: [to("words-40?reset=5&pace=0"), to("words-40?pace=0&n=1")], rescue: "restart", ...again }
}

const prices = { version: "mine", models: { "chat/*": { input: 1, output: 2 } } }

const keys = { ci: "key-of-ci-0123456789", ads: "key-of-ads-0123456789", admin: "key-of-admin-0123456789" }
const sections = {
  auth: {
    mode: "keys",
    adminKey: keys.admin,
    keys: [
      { name: "ci", key: keys.ci, labels: { team: "build" } },
      { name: "ads", key: keys.ads }
    ]
  }
}

const bearer = (key: string, labels = "") => ({
  headers: { authorization: `Bearer ${key}`, ...(labels === "" ? {} : { "x-millrace-labels": labels }) }
})

const dimensions = ["key", "model", "day", "label"] as const

const valuesOf = ({ caller, model, timings }: CallRecord, by: (typeof dimensions)[number]): ReadonlyArray<string> => {
  if (by === "key") return [caller.key ?? ""]
  if (by === "model") return [model]
  if (by === "day") return [DateTime.formatIsoDateUtc(DateTime.makeUnsafe(timings.openedAt))]
  return Object.entries(caller.labels ?? {}).map(([name, value]) => `${name}=${value}`)
}

type Sums = Pick<
  UsageLine,
  "calls" | "incomplete" | "inputTokens" | "outputTokens" | "microUsd" | "estimated" | "unpriced"
>

const sumOf = (records: ReadonlyArray<CallRecord>): Sums => {
  const attempts = records.flatMap((record) => record.attempts)
  const sum = (of: (attempt: (typeof attempts)[number]) => number | null | undefined) =>
    attempts.reduce((all, attempt) => all + (of(attempt) ?? 0), 0)
  return {
    calls: records.length,
    incomplete: records.filter(({ outcome }) => outcome?.kind !== "Completed").length,
    inputTokens: sum(({ usage }) => usage.inputTokens),
    outputTokens: sum(({ usage }) => usage.outputTokens),
    microUsd: sum(({ cost }) => cost?.microUsd),
    estimated: sum(({ usage }) => (usage.source === "estimated" ? 1 : 0)),
    unpriced: sum(({ cost }) => (cost?.microUsd === null ? 1 : 0))
  }
}

const sumsIn = ({ calls, estimated, incomplete, inputTokens, microUsd, outputTokens, unpriced }: UsageLine): Sums => ({
  calls,
  incomplete,
  inputTokens,
  outputTokens,
  microUsd,
  estimated,
  unpriced
})

/** A report as its lines by what they are about. */
const linesOf = (report: UsageReport, by: Dimension) =>
  Object.fromEntries(report.data.map((line) => [line[by] ?? "", sumsIn(line)]))

describeDatabases("what calls have used", (kind) => {
  it.live(
    "is what their records say, by key, model, day and label, however they ended, and so it is kept",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const options = {
          models,
          prices,
          sections,
          storage: kind === "sqlite" ? `sqlite:${address}` : address
        }
        const expected = yield* Effect.gen(function* () {
          for (const model of Object.keys(models)) {
            for (const key of [keys.ci, keys.ads]) {
              const rest = bearer(key, key === keys.ads ? "team=ads,env=test" : "")
              // the caller of what is slow leaves in the middle
              const leaving = model === "slow" ? { enough: (text: string) => text.length > 2000 } : {}
              yield* askChat(model, { temperature: 0 }, { ...rest, ...leaving })
            }
          }
          yield* quiet
          const { audit } = yield* Running
          const { data } = yield* until(audit.list({ limit: 100 }), (page) =>
            page.data.every(({ status }) => status === "ended")
          )
          const kinds = new Set(data.map(({ outcome }) => outcome?.kind))
          assert.deepStrictEqual(kinds, new Set(["Completed", "Failed", "Cancelled"]))
          assert.isTrue(data.some(({ attempts }) => attempts.some(({ rescue }) => rescue !== undefined)))
          assert.isTrue(data.some(({ attempts }) => attempts.some(({ abandoned }) => abandoned === true)))
          for (const by of dimensions) {
            const names = new Set(data.flatMap((record) => valuesOf(record, by)))
            const asked = yield* ask(`/v1/usage?by=${by}`, bearer(keys.admin))
            const report: UsageReport = json(asked)
            const sums = Object.fromEntries(
              Array.from(names, (name) => [name, sumOf(data.filter((record) => valuesOf(record, by).includes(name)))])
            )
            assert.deepStrictEqual(linesOf(report, by), sums, by)
            assert.deepStrictEqual(sumsIn(report.total), sumOf(data))
          }
          const own: UsageReport = json(yield* ask("/v1/usage?by=key", bearer(keys.ci)))
          assert.deepStrictEqual(Object.keys(linesOf(own, "key")), ["ci"])
          return sumOf(data)
        }).pipe(Effect.provide(running(options), { local: true }), Effect.scoped)
        assert.isAbove(expected.microUsd, 0)
        assert.isAbove(expected.estimated, 0)
        const context = yield* Layer.build(Layer.provide(LedgerSql.layer, databaseAt(address)))
        const { total } = yield* Context.get(context, Ledger).report({ by: [] })
        assert.deepStrictEqual(sumsIn(total), expected)
      }).pipe(Effect.scoped),
    60_000
  )
})
