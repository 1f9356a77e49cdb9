import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { renderPage } from "./page.ts"

const path = fileURLToPath(new URL("../../docs/formats.md", import.meta.url))
writeFileSync(path, renderPage())
console.log(`wrote ${path}`)
