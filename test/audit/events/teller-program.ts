// A process that tells of events without end and reports what was acknowledged: "accepted <id>".
// node teller-program.ts <address> <name>
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as AuditStoreSql from "../../../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../../../src/audit/AuditTrail.ts"
import { databaseAt } from "../../storage/address.ts"
import { report } from "../../storage/report.ts"

const [address = "", name = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const trail = yield* AuditTrail
  let count = 0
  const teller = Effect.gen(function* () {
    const events = Array.from({ length: 1 + (count % 5) }, () => {
      const id = `${name}-${count++}`
      return { id, type: "note", call: "a", name: "n", data: id }
    })
    for (const verdict of yield* trail.tell(events, { owner: "", onlyOwnCalls: false })) {
      if (verdict._tag === "Accepted") report(`accepted ${verdict.id}`)
    }
  })
  const tellers = Array.from({ length: 16 }, () => Effect.forever(teller))
  yield* Effect.all(tellers, { concurrency: "unbounded", discard: true })
})

const trail = AuditTrail.layer().pipe(Layer.provide(AuditStoreSql.layer), Layer.provide(databaseAt(address)))

NodeRuntime.runMain(program.pipe(Effect.provide(trail)))
