import { Effect, FileSystem, Stdio, Stream } from "effect"
import { CommandFailed } from "./CommandFailed.ts"

/** Text to be written, or what a server has sent. */
type Written<R> = Stream.Stream<string | Uint8Array, CommandFailed, R>

const encoder = new TextEncoder()

const notWritten = (path: string, why: string) =>
  Effect.fail(new CommandFailed({ message: `${path} cannot be written: ${why}` }))

/**
 * Writes to standard output, as fast as it is read. It ends quietly where that fails: whoever watches the output for all
 * commands says why, unless somebody has seen enough (`| head`).
 */
export const toOutput = <R>(texts: Written<R>): Effect.Effect<void, CommandFailed, R | Stdio.Stdio> =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    yield* Stream.run(texts, stdio.stdout()).pipe(Effect.catchTag("PlatformError", () => Effect.void))
  })

/**
 * Writes to a file, which is made or written anew: once there is something to write, so that what fails at once has not
 * emptied it.
 */
export const toFile = <R>(
  path: string,
  texts: Written<R>
): Effect.Effect<void, CommandFailed, R | FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const file = yield* Effect.cached(files.open(path, { flag: "w" }))
    yield* Stream.runForEach(texts, (text) =>
      Effect.flatMap(file, (opened) => opened.writeAll(typeof text === "string" ? encoder.encode(text) : text))
    ).pipe(
      Effect.andThen(file),
      Effect.catchTag("PlatformError", ({ message, reason: { cause } }) =>
        notWritten(path, cause instanceof Error ? cause.message : message)
      )
    )
  }).pipe(Effect.scoped)
