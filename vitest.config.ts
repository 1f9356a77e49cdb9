import { existsSync } from "node:fs"
import { availableParallelism } from "node:os"
import { configDefaults, defineConfig } from "vitest/config"

// The tests in test/sdk need packages of their own; `scripts/test` installs them.
const sdksInstalled = existsSync(new URL("test/sdk/node_modules", import.meta.url))
if (!sdksInstalled) {
  process.stderr.write("test/sdk is left out: its packages are not installed (scripts/install sdk)\n")
}

export default defineConfig({
  // The examples import "millrace" as a user does; here that is the source.
  ssr: { resolve: { conditions: ["millrace-source"] } },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/fixtures/**", ...(sdksInstalled ? [] : ["test/sdk/**"])],
    pool: "forks",
    // Each worker loads Effect anew and many tests start servers: more workers than this win little and cost memory.
    maxWorkers: Math.min(4, availableParallelism()),
    // Nothing is timed: a test ends when what it waits for has happened. These only end one that hangs.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    reporters: ["default"]
  }
})
