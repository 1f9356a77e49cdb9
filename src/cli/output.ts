import { Effect, FileSystem, type PlatformError, Stdio, Stream } from "effect"
import { CommandFailed } from "./CommandFailed.ts"

/** Text to be written, or what a server has sent. */
type Written<R> = Stream.Stream<string | Uint8Array, CommandFailed, R>

const encoder = new TextEncoder()

/** Whether whoever read the output has left: `| head` has seen enough. */
const isLeft = ({ reason }: PlatformError.PlatformError): boolean =>
  reason.cause instanceof Error && Reflect.get(reason.cause, "code") === "EPIPE"

const notWritten = (what: string, why: string) =>
  Effect.fail(new CommandFailed({ message: `${what} cannot be written: ${why}` }))

/** Writes to standard output, as fast as it is read. It ends quietly when nobody reads any more. */
export const toOutput = <R>(texts: Written<R>): Effect.Effect<void, CommandFailed, R | Stdio.Stdio> =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    yield* Stream.run(texts, stdio.stdout()).pipe(
      Effect.catchIf(
        (error) => error._tag === "PlatformError" && isLeft(error),
        () => Effect.void
      ),
      Effect.catchTag("PlatformError", ({ message }) => notWritten("The output", message))
    )
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
      Effect.catchTag("PlatformError", ({ message }) => notWritten(path, message))
    )
  }).pipe(Effect.scoped)
