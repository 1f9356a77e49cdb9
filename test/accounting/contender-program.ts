// A process that asks to be admitted many times at once, and says how often it was.
// node contender-program.ts <address> <callers> <limit> [stay]
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { report } from "../storage/report.ts"
import { admissionOf, admitted, limiterAt } from "./limiting.ts"

const [address = "", callers = "0", limit = "0", stay] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const admission = yield* admissionOf(limiterAt(address, [{ key: "*", requests: { total: Number(limit) } }]))
  const found = yield* admitted(admission, Number(callers))
  yield* Effect.sync(() => report(String(found.length)))
  // What it holds lapses with it: the others are to have asked before.
  yield* stay === undefined ? Effect.sleep("3 seconds") : Effect.never
})

if (import.meta.main) NodeRuntime.runMain(Effect.scoped(program))
