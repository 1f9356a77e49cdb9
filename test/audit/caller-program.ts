// A process that opens and ends calls without end and reports what was acknowledged: "opened <id>", "ended <id>".
// node caller-program.ts <address> <name>
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { databaseAt } from "../storage/address.ts"
import { report as reportNow } from "../storage/report.ts"
import { finalRecord, openRecord } from "./records.ts"

const [address = "", name = ""] = process.argv.slice(2)

// written before the next step: what was reported was acknowledged, even where the process dies meanwhile
const report = (line: string) => Effect.sync(() => reportNow(line))

const program = Effect.gen(function* () {
  const trail = yield* AuditTrail
  let count = 0
  const call = Effect.suspend(() => {
    const id = `${name}-${count++}`
    return trail
      .open(openRecord(id))
      .pipe(
        Effect.andThen(report(`opened ${id}`)),
        Effect.andThen(Effect.sleep(count % 8)),
        Effect.andThen(trail.finalize(finalRecord(id))),
        Effect.andThen(report(`ended ${id}`))
      )
  })
  const callers = Array.from({ length: 32 }, () => Effect.forever(call))
  yield* Effect.all(callers, { concurrency: "unbounded", discard: true })
})

// On a machine that is busy with other things the disk takes its time: that is not what is tested here.
const trail = AuditTrail.layer({ durability: "strict", openTimeout: "1 minute" }).pipe(
  Layer.provide(AuditStoreSql.layer),
  Layer.provide(databaseAt(address))
)

NodeRuntime.runMain(program.pipe(Effect.provide(trail)))
