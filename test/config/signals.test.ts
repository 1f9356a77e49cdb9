import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { load } from "../../src/config/load.ts"
import { makeLexicon } from "../../src/signals/Lexicon.ts"
import { complaints, loading } from "./loading.ts"
import { Profile } from "../../src/signals/Tokens.ts"

/** Loads a document whose `signals.packs` are files with these texts. */
const withPacks = Effect.fnUntraced(function* (packs: { readonly [name: string]: string }, languages = "[en]") {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  for (const [name, text] of Object.entries(packs)) yield* files.writeFileString(`${folder}/${name}`, text)
  const listed = JSON.stringify(Object.keys(packs).map((name) => `${folder}/${name}`))
  const config = `${folder}/millrace.yaml`
  yield* files.writeFileString(config, `signals: { languages: ${languages}, packs: ${listed} }\n`)
  return yield* load({ config })
})

const wrong = (packs: { readonly [name: string]: string }) =>
  withPacks(packs).pipe(
    Effect.flip,
    Effect.map((error) =>
      error._tag === "ConfigurationError" ? error.problems.map(({ message, path }) => `${path}: ${message}`) : []
    )
  )

const page = readFileSync(fileURLToPath(new URL("../../docs/signals.md", import.meta.url)), "utf8")
const [settings = "", watching = "", pack = ""] = Array.from(
  page.matchAll(/^```yaml\n(.*?)^```$/gms),
  ([, block = ""]) => block
)

describe("docs/signals.md", () => {
  it.live("states the defaults, and has a pack that is one", () =>
    Effect.gen(function* () {
      const stated = yield* loading({ text: settings })
      assert.deepStrictEqual(stated.signals, (yield* loading({ text: "" })).signals)
      assert.lengthOf((yield* loading({ text: watching })).analyzers, 4)
      const { signals } = yield* withPacks({ "pt.yaml": pack })
      assert.strictEqual(signals?.packs?.at(-1)?.language, "pt")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("files of patterns", () => {
  it.live("add to those that are built in", () =>
    Effect.gen(function* () {
      const { signals } = yield* withPacks({
        "pt.yaml": "language: pt\npatterns:\n  quit: ['=(eu|) desisto']\nstopWords: [o, a]\n",
        "more.json": JSON.stringify({ language: "en", patterns: { quit: ["throw in the towel"] } })
      })
      const lexicon = makeLexicon(signals?.packs ?? [])
      for (const text of ["Desisto!", "I throw in the towel", "I give up"]) {
        assert.isDefined(lexicon.quit.find(new Profile(text)), text)
      }
      assert.isUndefined(lexicon.quit.find(new Profile("Ich gebe auf")))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("are refused with everything that is wrong with them, and where", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* wrong({
          "a.yaml": "language: pt\npatterns:\n  quitt: [x]\n  quit:\n    - (a|b\n    - 7\n",
          "b.yaml": "language: [",
          "c.txt": ""
        }),
        [
          'signals.packs[0]: names a file with mistakes in it: line 3: patterns.quitt: is no known key; did you mean "quit"? ' +
            "(known: correction, rephrase, clarification, humanAgent, support, quit, profanity, complaint, gratitude, " +
            "confirmation, success, confirmationPrefix, positivePrefix, negation, invalidArgs, toolNotFound, authMisuse, " +
            "stateError, badQuery, rateLimit, apiError, timeout, network, malformedResponse, contextOverflow, repair, " +
            'thanks, swearing, restatement); line 5: patterns.quit[0]: the pattern "(a|b" has a ( without its ), one within another, or more than 2000 forms of one word; ' +
            "line 6: patterns.quit[1]: 7 is not accepted; write a text",
          "signals.packs[1]: names a file that is not YAML: line 1: Flow sequence in block collection must be sufficiently indented and end with a ]",
          "signals.packs[2]: names a file of no known format; name it .yaml, .json or .toml"
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("that are not there are told", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/millrace.yaml`, "signals: { packs: [nowhere.yaml], languages: [xx] }\n")
      const { problems } = yield* Effect.flip(load({ config: `${folder}/millrace.yaml` }))
      assert.deepStrictEqual(
        problems.map(({ message }) => message),
        ["names a file that is not there; mend the path", '"xx" is not accepted; write one of en, de, fr, es']
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("analyzers", () => {
  it.effect("are refused where they are said what means nothing to them", () =>
    Effect.gen(function* () {
      const text = `analyzers:
  loops: { kind: repetition, after: 3s, times: 1 }
  quiet: { kind: stall, after: soon, onFinding: explode }
  odd: { kind: oddity }
`
      assert.deepStrictEqual(yield* complaints({ text }), [
        "millrace.yaml:2:30: analyzers.loops.after: means nothing to kind: repetition; remove it",
        "millrace.yaml:2:41: analyzers.loops.times: 1 is not accepted; write a whole number from 2 to 1000000",
        'millrace.yaml:3:25: analyzers.quiet.after: "soon" is not accepted; write a duration such as 200ms, 30s, 10m or 2h',
        'millrace.yaml:3:38: analyzers.quiet.onFinding: "explode" is not accepted; write one of observe, stop',
        'millrace.yaml:4:10: analyzers.odd.kind: "oddity" is not accepted; write one of repetition, stall, refusal, language, degenerate'
      ])
    })
  )

  it.effect("come in the order of the document", () =>
    Effect.gen(function* () {
      const { analyzers } = yield* loading({
        text: "analyzers: { quiet: { kind: stall, after: 5s }, loops: { kind: repetition, onFinding: stop } }\n"
      })
      assert.deepStrictEqual(
        analyzers.map(({ name, onFinding }) => [name, onFinding]),
        [
          ["quiet", "observe"],
          ["loops", "stop"]
        ]
      )
    })
  )
})
