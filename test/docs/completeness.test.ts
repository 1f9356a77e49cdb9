import { NodeServices } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CliOutput, Command } from "effect/cli"
import { FetchHttpClient, HttpClient } from "effect/http"
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { OutcomeRecord } from "../../src/audit/CallRecord.ts"
import { millrace } from "../../src/cli/millrace.ts"
import { providerVariables } from "../../src/config/providers.ts"
import { FailureReason } from "../../src/domain/LlmError.ts"
import { folderWith, serving } from "../cli/running.ts"
import { documentKeys } from "../config/whole-document.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, "utf8")
const textOf = (pattern: string) => globSync(pattern, { cwd: root }).map(read).join("\n")

const pages = `${read("README.md")}\n${textOf("docs/*.md")}`
const source = textOf("src/**/*.ts")

const all = (pattern: RegExp, text: string): ReadonlySet<string> =>
  new Set(Array.from(text.matchAll(pattern), ([whole, part]) => part ?? whole))

/** What stands between backticks in a line. */
const codes = (text: string) => all(/`([^`\n]+)`/g, text)
const words = (text: string) => new Set(Array.from(codes(text)).flatMap((code) => code.match(/[\w-]+/g) ?? []))

const absent = (wanted: Iterable<string>, from: ReadonlySet<string>) =>
  Array.from(wanted).filter((name) => !from.has(name))

const nameOf = (key: string) => key.replace("[]", "").split(".").at(-1) ?? ""

describe("links", () => {
  const files = ["README.md", "CHANGELOG.md", "bench/README.md", ...globSync("docs/*.md", { cwd: root })]
  const prose = (file: string) => read(file).replaceAll(/^```.*?^```$/gms, "")
  /** The names that headings have as places of a page. */
  const places = (file: string) =>
    new Set(
      Array.from(prose(file).matchAll(/^#+ (.*)$/gm), ([, heading = ""]) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, "")
          .replaceAll(" ", "-")
      )
    )

  it.each(files)("of %s lead somewhere", (file) => {
    const lost = Array.from(all(/\]\((?!https?:)([^)\s]+)\)/g, prose(file))).filter((link) => {
      const [path = "", place] = link.split("#")
      const target = path === "" ? file : join(dirname(file), path)
      if (!existsSync(`${root}${target}`)) return true
      return place !== undefined && !places(target).has(place)
    })
    assert.deepStrictEqual(lost, [])
  })

  it("of the architecture to files of the source do, too", () => {
    const paths = Array.from(codes(read("docs/architecture.md"))).filter((code) => /^[a-z-]+\/[\w./-]+\.ts$/.test(code))
    assert.isAbove(paths.length, 15)
    const lost = paths.filter((path) => !existsSync(`${root}${path}`) && !existsSync(`${root}src/${path}`))
    assert.deepStrictEqual(lost, [])
  })
})

describe("settings", () => {
  const names = new Set(Array.from(documentKeys, nameOf))

  it("all stand in the pages", () => {
    assert.isAbove(names.size, 100)
    assert.deepStrictEqual(absent(names, words(pages)), [])
  })

  it("none stands in a table of settings that there is not", () => {
    const tables = pages.match(/^\| (setting|of a target) \|.*\n\|[-| ]+\n(\|.*\n)+/gm) ?? []
    const cells = tables.flatMap((table) => table.split("\n").slice(2)).map((row) => row.split("|")[1] ?? "")
    const stated = cells.flatMap((cell) => Array.from(words(cell)))
    assert.isAbove(stated.length, 50)
    assert.deepStrictEqual(absent(stated, names), [])
  })

  it("that come from the environment are named with their variables", () => {
    const variables = [...providerVariables, ...all(/"(MILLRACE_[A-Z_]+)"/g, source), "HOST", "PORT"]
    assert.deepStrictEqual(absent(variables, words(pages)), [])
  })
})

describe("what the server says of calls", () => {
  const http = read("docs/http.md")

  it("every outcome and every reason of a failure", () => {
    const reasons = FailureReason.members.map(({ fields }) => fields._tag.schema.literal)
    assert.deepStrictEqual(absent([...OutcomeRecord.fields.kind.literals, ...reasons], words(http)), [])
  })

  it("every header of its own", () => {
    assert.deepStrictEqual(absent(all(/"(x-millrace-[a-z-]+[a-z])"/g, source), words(http)), [])
  })

  it("every metric, and none that there is not", () => {
    const metrics = all(/\bmillrace_(?!migrations)[a-z_]+[a-z]\b/g, source)
    const stated = all(/\bmillrace_[a-z_]+[a-z]\b/g, pages)
    assert.deepStrictEqual(absent(metrics, words(http)), [])
    assert.deepStrictEqual(absent(stated, metrics), [])
  })
})

layer(Layer.merge(NodeServices.layer, FetchHttpClient.layer), { excludeTestServices: true })(
  "what can be asked",
  (it) => {
    it.effect("of a server: every route", () =>
      Effect.gen(function* () {
        const { stop, url } = yield* serving({
          folder: yield* folderWith("millrace.yaml", "storage: { url: 'memory:' }\n")
        })
        const client = yield* HttpClient.HttpClient
        const listed = yield* Effect.flatMap(client.get(url), ({ text }) => text)
        const paths = Array.from(all(/^[A-Z]+ +(\/\S+)$/gm, listed), (path) => path.replace(/\/\*$/, ""))
        assert.isAbove(paths.length, 20)
        const stated = pages.replaceAll(/\{\w+\}/g, "*")
        assert.deepStrictEqual(
          paths.filter((path) => !stated.includes(path)),
          []
        )
        yield* stop
      })
    )

    /** The flags of a command, by what its help says. */
    const flagsOf = Effect.fnUntraced(function* (...command: ReadonlyArray<string>) {
      const flags: Array<string> = []
      yield* Command.runWith(millrace, { version: "0" })([...command, "--help"]).pipe(
        Effect.provideService(CliOutput.Presenter, {
          present: (event) =>
            Effect.sync(() => {
              if (event._tag !== "Help") return
              const { flags: own, globalFlags = [] } = event.helpDoc
              flags.push(...[...own, ...globalFlags].map(({ name }) => `--${name}`))
            })
        })
      )
      return new Set(flags)
    })

    const commands = millrace.subcommands.flatMap((group) =>
      group.commands.flatMap((command): ReadonlyArray<ReadonlyArray<string>> => {
        const inner = command.subcommands.flatMap(({ commands }) => commands.map(({ name }) => [command.name, name]))
        return inner.length === 0 ? [[command.name]] : inner
      })
    )

    it.effect("of the command line: every command and flag, and none that there is not", () =>
      Effect.gen(function* () {
        const page = read("docs/commands.md")
        const known = new Map<string, ReadonlySet<string>>()
        for (const command of commands) known.set(command.join(" "), yield* flagsOf(...command))
        assert.isAbove(known.size, 15)
        const flags = new Set(Array.from(known.values()).flatMap((some) => Array.from(some)))
        assert.deepStrictEqual(
          absent([...flags, ...commands.flat()], new Set([...words(page), ...all(/--[a-z-]+/g, page)])),
          []
        )
        assert.deepStrictEqual(absent(all(/(?<![\w-])--[a-z][a-z-]+/g, page), flags), [])
        // Examples, also below `npm run`.
        for (const [, line = ""] of pages.matchAll(/^(?:npm run )?millrace (?:-- )?(.*)$/gm)) {
          const [first = "", second = ""] = line.split(" ")
          const own = known.get(`${first} ${second}`) ?? known.get(first)
          assert.isDefined(own, line)
          assert.deepStrictEqual(absent(all(/(?<!\S)--[a-z][a-z-]+/g, line), own), [], line)
        }
      })
    )
  }
)
