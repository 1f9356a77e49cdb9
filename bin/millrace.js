#!/usr/bin/env node
// Plain JavaScript that any Node can read: the program itself needs one that is new enough to say anything at all.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major > 22 || (major === 22 && minor >= 19)) {
  await import("../dist/main.js")
} else {
  process.stderr.write(
    `millrace needs Node 22.19 or newer; this is ${process.version} (${process.execPath}).\n` +
      "Install Node 24 (https://nodejs.org, or `nvm install 24`), or run `npx -p node@24 millrace`.\n"
  )
  process.exitCode = 1
}
