import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { checkFile, entryPoints, mayImport } from "./architecture.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const manifest: { readonly [of in "dependencies" | "peerDependencies"]: Record<string, string> } = JSON.parse(
  readFileSync(`${root}/package.json`, "utf8")
)
const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })

const complaintsOf = (path: string, text: string) => checkFile({ path, text }, dependencies)

describe("the layout of src/", () => {
  it("is kept by every file", () => {
    const paths = globSync("src/**/*.ts", { cwd: root }).map((path) => path.replaceAll("\\", "/"))
    const complaints = paths.toSorted().flatMap((path) => complaintsOf(path, readFileSync(`${root}/${path}`, "utf8")))
    expect(complaints.join("\n")).toBe("")
  })

  it("has no folder that imports one below it", () => {
    const folders = Object.keys(mayImport)
    for (const [folder, allowed] of Object.entries(mayImport)) {
      for (const other of allowed) {
        expect(folders).toContain(other)
        if (folder !== other)
          expect(folders.indexOf(other), `${folder} -> ${other}`).toBeLessThan(folders.indexOf(folder))
      }
    }
  })
})

describe("an import against the direction is found", () => {
  it.each([
    ["a plain one", `import { x } from "../server/Server.ts"`],
    ["a type", `import type { X } from "../server/Server.ts"`],
    ["a re-export", `export * from "../server/Server.ts"`],
    ["a named re-export", `export { x } from "../server/Server.ts"`],
    ["a lazy one", `export const load = () => import("../server/Server.ts")`],
    ["a type written in place", `export type X = import("../server/Server.ts").X`],
    ["a worker", `export const url = new URL("../server/Server.ts", import.meta.url)`],
    ["a worker with a computed end", "export const url = new URL(`../server/Server${extension}`, import.meta.url)"],
    ["a resolved one", `export const url = import.meta.resolve("../server/Server.ts")`]
  ])("%s", (_name, text) => {
    const complaints = complaintsOf("src/engine/Engine.ts", `\n${text}\n`)
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toMatch(
      /^src\/engine\/Engine\.ts:2 imports src\/server\/Server.*: engine\/ may import domain, filters,/
    )
  })

  it.each(["wire", "protocols", "providers", "storage"])("from the engine to %s", (folder) => {
    expect(complaintsOf("src/engine/Engine.ts", `import "../${folder}/Some.ts"`)).toHaveLength(1)
  })

  it.each(["config", "server", "cli"])("from the testing kit to %s", (folder) => {
    expect(complaintsOf("src/testing/Faults.ts", `import "../${folder}/Some.ts"`)).toHaveLength(1)
  })

  it("from a folder deep inside", () => {
    expect(complaintsOf("src/protocols/some/inbound.ts", `import "../../routing/Router.ts"`)).toHaveLength(1)
    expect(complaintsOf("src/protocols/some/inbound.ts", `import "../../wire/Sse.ts"`)).toEqual([])
  })

  it("from a folder to an entry point, out of src/, to a package that is not published with it", () => {
    expect(complaintsOf("src/cli/serve.ts", `import "../main.ts"`)).toHaveLength(1)
    expect(complaintsOf("src/cli/serve.ts", `import "../../test/fixture.ts"`)).toHaveLength(1)
    expect(complaintsOf("src/cli/serve.ts", `import "vitest"`)).toHaveLength(1)
    expect(complaintsOf("src/cli/serve.ts", `import "@effect/vitest/utils"`)).toHaveLength(1)
    expect(complaintsOf("src/cli/serve.ts", `import "@effect/platform-node/NodeRuntime"`)).toEqual([])
  })

  it("to a file by the name that only a compiler knows", () => {
    expect(complaintsOf("src/cli/serve.ts", `import "./check.js"`)).toHaveLength(1)
  })

  it("from the vocabulary to anything that does IO", () => {
    expect(complaintsOf("src/domain/Usage.ts", `import { readFileSync } from "node:fs"`)).toHaveLength(1)
    expect(complaintsOf("src/audit/sinks.ts", `import { readFileSync } from "node:fs"`)).toEqual([])
  })
})

describe("a misplaced file is found", () => {
  it.each(["src/engine/index.ts", "src/engine/utils.ts", "src/other.ts", "src/misc/Engine.ts"])("%s", (path) => {
    expect(complaintsOf(path, "export const x = 1\n")).toHaveLength(1)
  })

  it("an entry point is not one", () => {
    for (const path of entryPoints) expect(complaintsOf(path, `export * from "./server/Server.ts"\n`)).toEqual([])
  })

  it("one that is too long", () => {
    expect(complaintsOf("src/engine/Engine.ts", "export {}\n".repeat(350))).toEqual([])
    expect(complaintsOf("src/engine/Engine.ts", "export {}\n".repeat(351))).toHaveLength(1)
  })
})

describe("a provider's name is found", () => {
  it.each([
    `export const name = "openai"`,
    `export const toAnthropicMessages = 1`,
    "export const text = `gpt-5.5`",
    `export interface Usage { readonly claudeTokens: number }`
  ])("in %s", (text) => {
    expect(complaintsOf("src/engine/Engine.ts", text)).toHaveLength(1)
    expect(complaintsOf("src/protocols/some/wire.ts", text)).toEqual([])
  })

  it("in a path, but not in a comment nor within another word", () => {
    expect(complaintsOf("src/filters/openai-moderation.ts", "export {}")).toHaveLength(1)
    expect(complaintsOf("src/engine/Engine.ts", "// OpenAI sends this twice\n/** Claude too */\nexport {}")).toEqual([])
    expect(complaintsOf("src/engine/Engine.ts", `export const coherent = "incoherence"`)).toEqual([])
  })
})

describe("a service's key that is not its place and name is found", () => {
  const service = (key: string) =>
    `export class Router extends Context.Service<Router, { readonly plan: () => void }>()(${key}) {}`

  it.each([`"millrace/routing/Routers"`, `"millrace/Router"`, `"Router"`, "key"])("%s", (key) => {
    expect(complaintsOf("src/routing/Router.ts", service(key))).toHaveLength(1)
  })

  it("in a reference, too", () => {
    const reference = (key: string) =>
      `export const Limits = Context.Reference<number>("${key}", { defaultValue: () => 1 })`
    expect(complaintsOf("src/routing/Limits.ts", reference("millrace/Limits"))).toHaveLength(1)
    expect(complaintsOf("src/routing/Limits.ts", reference("millrace/routing/Limits"))).toEqual([])
  })

  it("but not the right one, in a folder or deeper", () => {
    expect(complaintsOf("src/routing/Router.ts", service(`"millrace/routing/Router"`))).toEqual([])
    expect(complaintsOf("src/routing/deep/Router.ts", service(`"millrace/routing/Router"`))).toEqual([])
  })
})
