import { assert } from "@effect/vitest"
import { Config, Effect, Fiber, FileSystem, Path, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** Where a command runs and what it finds in its environment; nothing else of this process's environment is there. */
export interface Place {
  readonly folder: string
  readonly environment?: { readonly [name: string]: string }
}

const command = Effect.fnUntraced(function* ({ folder, environment = {} }: Place, args: ReadonlyArray<string>) {
  // How Node itself is to run is not what is tested.
  const options = yield* Config.String("NODE_OPTIONS").pipe(Config.withDefault(""))
  return yield* ChildProcess.make(process.execPath, [main, ...args], {
    cwd: folder,
    env: { NODE_OPTIONS: options, ...environment },
    extendEnv: false
  })
})

const textOf = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) => Stream.mkString(Stream.decodeText(stream))

/** Runs `millrace` to its end. */
export const millrace = Effect.fnUntraced(function* (place: Place, ...args: ReadonlyArray<string>) {
  const child = yield* command(place, args)
  const [stdout, stderr, code] = yield* Effect.all([textOf(child.stdout), textOf(child.stderr), child.exitCode], {
    concurrency: "unbounded"
  })
  // Whatever happens, users are not shown the inside of the program.
  assert.notMatch(stdout + stderr, /\n\s+at .*:\d+:\d+/)
  return { stdout, stderr, code: Number(code) }
}, Effect.scoped)

/** A server that runs in this scope: where it listens, what it said until then, and how it ends when it is told to. */
export const serving = Effect.fnUntraced(function* (place: Place, ...args: ReadonlyArray<string>) {
  const child = yield* command(place, ["serve", "--port", "0", ...args])
  const stderr = yield* Effect.forkScoped(textOf(child.stderr))
  let said = ""
  yield* child.stdout.pipe(
    Stream.decodeText,
    // The last line of what is said.
    Stream.takeUntil((text) => (said += text).includes("is a provider of its own")),
    Stream.runDrain
  )
  const url = /listens on (http:\S+)/.exec(said)?.[1]
  assert.isDefined(url, said + (url === undefined ? yield* Fiber.join(stderr) : ""))
  return {
    url,
    said,
    stop: Effect.andThen(child.kill({ killSignal: "SIGTERM" }), Effect.map(child.exitCode, Number))
  }
})

/** A folder of the test's own, with a file in it where a text is given. */
export const folderWith = Effect.fnUntraced(function* (name?: string, text = "") {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  if (name !== undefined) yield* files.writeFileString((yield* Path.Path).join(folder, name), text)
  return folder
})
