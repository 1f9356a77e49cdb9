import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect, Random } from "effect"
import { renderFailures } from "./page.ts"

const path = fileURLToPath(new URL("../../docs/failures.md", import.meta.url))
const page = await Effect.runPromise(renderFailures.pipe(Random.withSeed("failures")))
writeFileSync(path, page)
console.log(`wrote ${path}`)
