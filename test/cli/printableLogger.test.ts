import { assert, it } from "@effect/vitest"
import { Console, Effect, Logger } from "effect"
import { printableLogger } from "../../src/cli/printableLogger.ts"

it.effect("what is logged commands no terminal, wherever it stands", () =>
  Effect.gen(function* () {
    const written: Array<unknown> = []
    const console = { ...globalThis.console, error: (...texts: ReadonlyArray<unknown>) => void written.push(...texts) }
    yield* Effect.logError("\u001b[31mred", new Error("\u001b]0;title\u0007"), { model: "\u009b31m" }).pipe(
      Effect.andThen(Effect.logError("because", Effect.runSyncExit(Effect.fail("\u001b[2J")))),
      Effect.provide(Logger.layer([printableLogger])),
      Effect.provideService(Logger.LogToStderr, true),
      Effect.provideService(Console.Console, console)
    )
    const text = written.join(" ")
    assert.include(text, "\\u001b[31mred")
    assert.include(text, "title")
    // line breaks and tabs are no commands
    assert.notMatch(text, /[^\P{Cc}\n\t]/u)
  })
)
