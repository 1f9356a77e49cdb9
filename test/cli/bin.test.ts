import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A package of its own, with the command and, if given, a program. */
const installed = (program?: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "mill race ü "))
      cpSync("bin", join(folder, "bin"), { recursive: true })
      writeFileSync(join(folder, "package.json"), '{"type":"module"}')
      if (program !== undefined) {
        mkdirSync(join(folder, "dist"))
        writeFileSync(join(folder, "dist", "main.js"), program)
      }
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

const run = (folder: string) =>
  Effect.callback<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>((resume) => {
    execFile(process.execPath, [join(folder, "bin", "millrace.js"), "check"], (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error?.code ?? 0, stdout, stderr }))
    )
  })

describe("the command of the package", () => {
  it.live("runs the program, wherever it lies", () =>
    Effect.gen(function* () {
      const folder = yield* installed("process.stdout.write(process.argv[2])")
      assert.deepStrictEqual(yield* run(folder), { code: 0, stdout: "check", stderr: "" })
    })
  )

  it.live("says how to get the program where it was not built", () =>
    Effect.gen(function* () {
      const folder = yield* installed()
      const { code, stderr } = yield* run(folder)
      assert.strictEqual(code, 1)
      assert.include(stderr, folder)
      assert.include(stderr, "npm run build")
      assert.notInclude(stderr, "ERR_MODULE_NOT_FOUND")
    })
  )
})
