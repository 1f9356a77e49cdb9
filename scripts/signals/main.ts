import { writeFileSync } from "node:fs"
import { pagePath, renderSignalsPage } from "./page.ts"

writeFileSync(pagePath, renderSignalsPage())
console.log(`wrote ${pagePath}`)
