import { Console, Effect } from "effect"
import { CliOutput } from "effect/cli"

/** Tells what is wrong with a command line beside the output, which may go to a file or another program. */
export const usageErrors = CliOutput.layerPresenter({
  present: (event) => {
    const told = CliOutput.defaultPresenter.present(event)
    return event._tag === "InvalidInvocation"
      ? Console.consoleWith((console) =>
          Effect.provideService(told, Console.Console, Object.assign(Object.create(console), { log: console.error }))
        )
      : told
  }
})
