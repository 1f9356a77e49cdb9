import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { renderFailures } from "../../scripts/failures/page.ts"

const path = fileURLToPath(new URL("../../docs/failures.md", import.meta.url))

it.live("the page of failures is what becomes of calls (npm run docs writes it)", () =>
  Effect.map(renderFailures, (page) => assert.strictEqual(readFileSync(path, "utf8"), page))
)
