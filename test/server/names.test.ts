import { assert, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { randomBytes } from "node:crypto"
import { openRecord } from "../audit/records.ts"
import { describeDatabases, freshDatabase, type Kind } from "../storage/databases.ts"
import { ask, askChat, recordOf, Running, running, until } from "./running.ts"
import { json } from "./simulate/server.ts"

/** Nothing that could be written shorter. */
const text = (length: number): string => randomBytes(length).toString("base64url").slice(0, length)

const at = <A, E>(kind: Kind, use: Effect.Effect<A, E, Layer.Success<ReturnType<typeof running>>>) =>
  Effect.gen(function* () {
    const address = yield* freshDatabase(kind)
    yield* Effect.provide(use, running({ storage: kind === "sqlite" ? `sqlite:${address}` : address }))
  }).pipe(Effect.scoped)

describeDatabases("names that callers give", (kind) => {
  it.live("are recorded and reckoned as long as they may be, and refused where they are longer", () =>
    at(
      kind,
      Effect.gen(function* () {
        const model = `chat/${text(507)}`
        const headers = {
          "x-millrace-tenant": text(512),
          "x-millrace-conversation": text(512),
          "x-millrace-labels": `a=${text(500)},b=${text(500)}`
        }
        const seen = yield* askChat(model, { stream: false }, { headers })
        // its provider has no such model, and it has a record all the same
        assert.strictEqual(seen.status, 404, seen.text)
        const { caller, conversation } = yield* recordOf(seen)
        assert.strictEqual(caller.tenant, headers["x-millrace-tenant"])
        assert.strictEqual(conversation, headers["x-millrace-conversation"])
        const usage = Effect.map(ask("/v1/usage?by=tenant"), json)
        yield* until(usage, ({ data }) => data[0]?.tenant === caller.tenant)
        for (const [name, value] of Object.entries(headers)) {
          const refused = yield* askChat("chat/echo", {}, { headers: { [name]: `${value}${text(50)}` } })
          assert.deepStrictEqual([refused.status, json(refused).error.param], [400, name])
        }
        for (const name of ["chat/a\u001b[31mb", "chat/a\nb", "chat/\u009b31m", "chat/\0"]) {
          const refused = yield* askChat(name)
          assert.deepStrictEqual([refused.status, json(refused).error.param], [400, "model"], JSON.stringify(name))
        }
        const refused = yield* askChat(`${model}s`)
        assert.deepStrictEqual([refused.status, json(refused).error.param], [400, "model"])
      })
    )
  )

  it.live("do not keep others from being recorded, where a program's own are too long", () =>
    at(
      kind,
      Effect.gen(function* () {
        const { audit } = yield* Running
        yield* Effect.exit(audit.open(openRecord("long", { conversation: text(4000) })))
        assert.strictEqual((yield* askChat("chat/echo", { stream: false })).status, 200)
      })
    )
  )
})
