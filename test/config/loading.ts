import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Effect, FileSystem, Path } from "effect"
import type { Flags } from "../../src/config/listening.ts"
import { load } from "../../src/config/load.ts"
import { formatProblem } from "../../src/config/problems.ts"

/** What a test configures: the text of a file of this name, the environment, the flags. */
export interface Given {
  readonly name?: string
  readonly text?: string
  readonly environment?: { readonly [name: string]: string }
  readonly flags?: Flags
}

// Whoever works on Millrace may well have a configuration in the folder the tests run in.
const noFiles = FileSystem.layerNoop({ exists: () => Effect.succeed(false) })

/** Loads as `millrace` does, with nothing of this process's environment and folder. */
export const loading = ({ name = "millrace.yaml", text, environment = {}, flags = {} }: Given) => {
  const program = Effect.gen(function* () {
    if (text === undefined) return yield* Effect.provide(load(flags), noFiles)
    const files = yield* FileSystem.FileSystem
    const folder = yield* Effect.orDie(files.makeTempDirectoryScoped())
    const file = (yield* Path.Path).join(folder, name)
    yield* Effect.orDie(files.writeFileString(file, text))
    return yield* load({ config: file, ...flags })
  })
  return program.pipe(
    Effect.provide([NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env: environment }))]),
    Effect.scoped
  )
}

/** The lines that are shown for a configuration that is refused; the file's folder is left out. */
export const complaints = (given: Given) =>
  Effect.map(Effect.flip(loading(given)), ({ problems }) => problems.map(formatProblem).map(withoutFolder))

/** The lines that are shown for the warnings of one that is accepted. */
export const warnings = (given: Given) =>
  Effect.map(loading(given), ({ warnings }) => warnings.map(formatProblem).map(withoutFolder))

const withoutFolder = (line: string): string => line.replace(/^\S*\/(?=[^/\s]*\.(yaml|json|toml|txt))/, "")
