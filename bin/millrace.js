#!/usr/bin/env node
// Plain JavaScript that any Node can read: the program itself needs one that is new enough to say anything at all.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const program = new URL("../dist/main.js", import.meta.url)

/** @param {string} text */
const giveUp = (text) => {
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
}

if (major < 22 || (major === 22 && minor < 19)) {
  giveUp(
    `millrace needs Node 22.19 or newer; this is ${process.version} (${process.execPath}).\n` +
      "Install Node 24 (https://nodejs.org, or `nvm install 24`), or run `npx -p node@24 millrace`."
  )
} else if (!existsSync(program)) {
  giveUp(
    `millrace was not built in ${fileURLToPath(new URL("..", import.meta.url))}: its sources are there, its program is not.\n` +
      "In a clone, use `npm run millrace --` in its place, or make it by `npm run build`; install it from a package of `npm pack`."
  )
} else {
  await import(program.href)
}
