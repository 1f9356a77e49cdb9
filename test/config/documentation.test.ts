import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { presetNames, presets, type Preset } from "../../src/providers/presets.ts"
import { loading } from "./loading.ts"

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8")

const blocks = (text: string) =>
  Array.from(text.matchAll(/^```(yaml|json|toml)\n(.*?)^```$/gms), ([, format = "", block = ""]) => ({ format, block }))

const configuration = read("docs/configuration.md")

// Packs of patterns and lists of prices are files of their own, which an example may name.
const isOther = (block: string) => /^language:|prices:|^\{ ?"(?!server)|^\[\n|^\{\n {2}"version"/m.test(block)

const folder = fileURLToPath(new URL("../../", import.meta.url))
const pages = ["README.md", ...globSync("docs/*.md", { cwd: folder })].flatMap((name) => {
  const examples = blocks(read(name)).filter(({ block }) => !isOther(block))
  return examples.length === 0 ? [] : [{ name, examples }]
})

describe.each(pages)("$name", ({ examples }) => {
  it.effect.each(examples)("has an example in $format that is accepted", ({ format, block }) =>
    Effect.gen(function* () {
      // Fails with everything that is wrong.
      const { providers, off } = yield* loading({ name: `millrace.${format}`, text: block })
      assert.isAbove(providers.length + off.length, 0)
    })
  )
})

describe("docs/configuration.md", () => {
  it.each(presetNames)("names the preset %s and its key", (name) => {
    const { keyVariable }: Preset = presets[name]
    const row = configuration.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``))
    assert.include(row ?? "", keyVariable === undefined ? "none" : `\`${keyVariable}\``)
  })

  // Those of clouds are not for others.
  const offered = presetNames.filter((name) => !("cloud" in presets[name]))

  it.effect.each(offered)("names the quirks of the preset %s, which any provider may be given", (name) =>
    Effect.gen(function* () {
      const { quirks }: Preset = presets[name]
      const names = Object.keys(quirks)
      for (const quirk of names) assert.include(configuration, `\`${quirk}\``)
      const text = `providers: { own: { protocol: openai-chat, baseUrl: "http://h", quirks: [${names.join(", ")}] } }`
      const { providers } = yield* loading({ text })
      assert.deepInclude(providers[0], { quirks })
    })
  )

  it.effect("states the defaults", () =>
    Effect.gen(function* () {
      const [whole] = blocks(configuration)
      const stated = yield* loading({ text: whole?.block ?? "" })
      const defaults = yield* loading({ text: "" })
      assert.deepStrictEqual(stated.server, defaults.server)
      assert.deepStrictEqual(stated.storage, defaults.storage)
      assert.deepStrictEqual(stated.audit, defaults.audit)
      assert.deepStrictEqual(stated.signals, defaults.signals)
    })
  )
})
