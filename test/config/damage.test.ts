import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Path, PlatformError, Result } from "effect"
import type { Configuration } from "../../src/config/Configuration.ts"
import { load } from "../../src/config/load.ts"
import { type ConfigurationError, formatPath, type Path as Place } from "../../src/config/problems.ts"
import { documentKeys, wholeDocument } from "./whole-document.ts"

const files: { readonly [name: string]: unknown } = {
  "prices.json": { version: "own", models: {} },
  "pack.yaml": { language: "pt", patterns: {} },
  "service-account.json": {}
}

const missing = PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "readFile" })

/** Loads a document, which is JSON, with nothing around it but the files that it names. */
const loading = (document: unknown) => {
  const read = (name: string) => {
    const value = name === "millrace.json" ? document : files[name]
    return value === undefined ? Effect.fail(missing) : Effect.succeed(JSON.stringify(value))
  }
  return Effect.result(load({ config: "millrace.json" })).pipe(
    Effect.provideService(
      FileSystem.FileSystem,
      FileSystem.makeNoop({
        readFile: (name) => Effect.map(read(name), (text) => new TextEncoder().encode(text)),
        readFileString: read
      })
    ),
    Effect.provide([Path.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} }))])
  )
}

interface Part {
  readonly path: Place
  readonly value: unknown
}

const partsOf = (value: unknown, path: Place = []): ReadonlyArray<Part> => {
  const inner: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(value)
    ? Array.from(value.entries())
    : typeof value === "object" && value !== null
      ? Object.entries(value)
      : []
  return [{ path, value }, ...inner.flatMap(([key, part]) => partsOf(part, [...path, key]))]
}

const put = (document: unknown, [key, ...rest]: Place, value: unknown): unknown => {
  if (key === undefined) return value
  // A place of the document leads through its sections and lists only.
  const section = document as { readonly [key: string | number]: unknown }
  const changed = put(section[key], rest, value)
  return Array.isArray(document) ? document.with(Number(key), changed) : { ...section, [key]: changed }
}

const parts = partsOf(wholeDocument)
// What a JSON Schema says is its own affair.
const isFree = (path: Place) => formatPath(path).startsWith("filters.shapes.schema")

/** Where the report of a damaged document does not name the damage. */
const unnamed = Effect.fnUntraced(function* (place: Place, damaged: unknown) {
  const loaded = yield* loading(damaged)
  const at = formatPath(place)
  if (Result.isSuccess(loaded)) return [`${at}: accepted`]
  const problems = loaded.failure.problems
  const isNamed = problems.some(({ path }) => path.startsWith(at))
  const isPlaced = problems.every(({ line, column }) => line !== undefined && column !== undefined)
  return isNamed && isPlaced ? [] : [`${at}: ${loaded.failure.message}`]
})

describe("a document with every setting", () => {
  it("has them all", () => {
    const patterns = parts.map(({ path }) =>
      path.map((segment) => (typeof segment === "number" ? "[]" : `.${segment}`)).join("")
    )
    const absent = Array.from(documentKeys).filter((key) => {
      const pattern = new RegExp(`^${key.replaceAll("[]", "\\[\\]").replaceAll(".", "\\.").replaceAll("*", "[^.]+")}$`)
      return !patterns.some((path) => pattern.test(path))
    })
    assert.deepStrictEqual(absent, [])
  })

  it.effect("is accepted", () =>
    Effect.gen(function* () {
      const loaded = yield* loading(wholeDocument)
      assert.strictEqual(Result.isFailure(loaded) ? loaded.failure.message : "", "")
    })
  )
})

// A status is one of two words, and a schema is JSON.
const isWord = (path: Place) => isFree(path) || path.at(-1) === "status"

/** What a document amounts to, or what is wrong with it. */
const shown = (loaded: Result.Result<Configuration, ConfigurationError>): string =>
  Result.isFailure(loaded)
    ? loaded.failure.message
    : // Warnings have places, and sizes are more than JSON has numbers for.
      JSON.stringify({ ...loaded.success, warnings: [] }, (_, value: unknown) =>
        typeof value === "bigint" ? String(value) : value
      )

describe("numbers, true and false", () => {
  it.effect("may come from the environment, which has texts only", () =>
    Effect.gen(function* () {
      const scalars = parts.filter(
        ({ path, value }) => (typeof value === "number" || typeof value === "boolean") && !isWord(path)
      )
      assert.isAbove(scalars.length, 50)
      const asTexts = scalars.reduce<unknown>(
        (document, { path, value }) => put(document, path, `\${ANY:-${String(value)}}`),
        wholeDocument
      )
      assert.strictEqual(shown(yield* loading(asTexts)), shown(yield* loading(wholeDocument)))
    })
  )
})

describe("a document that is damaged in one place is refused, and the report names the place", () => {
  it.effect.each([
    { name: "nothing", odd: null },
    { name: "a section", odd: { odd: [] } },
    { name: "a list", odd: [[[]]] }
  ])("where $name stands instead", ({ odd }) =>
    Effect.gen(function* () {
      const told: Array<string> = []
      for (const { path } of parts) {
        // A section of which nothing is left is as good as absent.
        if (isFree(path) || (odd === null && path.length <= 1)) continue
        told.push(...(yield* unnamed(path, put(wholeDocument, path, odd))))
      }
      assert.deepStrictEqual(told, [])
    })
  )

  it.effect("where a key stands that there is not", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      for (const { path, value } of parts) {
        if (isFree(path) || typeof value !== "object" || Array.isArray(value)) continue
        const place = [...path, "odd key"]
        told.push(...(yield* unnamed(place, put(wholeDocument, place, 5))))
      }
      assert.deepStrictEqual(told, [])
    })
  )

  it.effect.each(["", 1e30, true, "odd"])("where %j stands instead and is not accepted", (odd) =>
    Effect.gen(function* () {
      const told: Array<string> = []
      for (const { path } of parts) told.push(...(yield* unnamed(path, put(wholeDocument, path, odd))))
      assert.deepStrictEqual(
        told.filter((line) => !line.endsWith(": accepted")),
        []
      )
    })
  )
})
