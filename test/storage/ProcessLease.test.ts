import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { currentProcess, isKnownDead } from "../../src/storage/ProcessLease.ts"

const program = fileURLToPath(new URL("host-program.ts", import.meta.url))

/** The host that a process of its own says it is on. */
const hostBy = (command: string, ...args: ReadonlyArray<string>) =>
  spawnSync(command, [...args, process.execPath, program], { encoding: "utf8" }).stdout?.trim() ?? ""

/** No process has it. */
const pid = 4_999_999

describe("a process beside another one", () => {
  it.effect("knows it to be dead by its id", () =>
    Effect.gen(function* () {
      const self = yield* currentProcess
      const host = hostBy("env")
      assert.strictEqual(host, self.host)
      assert.isTrue(yield* isKnownDead({ host, pid, heartbeatAt: 0 }, self))
    })
  )
})

// A container with the name of its machine, as far as process ids go; it takes root to make one.
const contained = hostBy("unshare", "--pid", "--fork", "--mount-proc")

describe.skipIf(contained === "")("a process in a container that has the name of its machine", () => {
  it.effect("is taken for dead by nobody whose ids say nothing of it", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* isKnownDead({ host: contained, pid, heartbeatAt: 0 }, yield* currentProcess))
    })
  )
})
