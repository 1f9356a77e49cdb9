import { Context, Effect, Exit, Layer, Stream } from "effect"
import { failure } from "../domain/LlmError.ts"
import { Upstream, type UpstreamRequest } from "../routing/Upstream.ts"
import { play, type Script } from "./Script.ts"

/** How a scripted answer ended: it was played to its end, it failed, or the reader left before. */
export type Ending = "completed" | "failed" | "abandoned"

/**
 * An `Upstream` that plays scripts instead of asking a provider: the first request gets the first script, and so on. A
 * request beyond the last script fails, so a test sees that it was made.
 */
export class ScriptedUpstream extends Context.Service<
  ScriptedUpstream,
  {
    readonly upstream: Upstream["Service"]
    /** the requests so far, in order */
    readonly requests: Effect.Effect<ReadonlyArray<UpstreamRequest>>
    /** how the answers that are over ended, in the order in which they began */
    readonly endings: Effect.Effect<ReadonlyArray<Ending | undefined>>
  }
>()("millrace/testing/ScriptedUpstream") {
  /** Provides the scripts both as an `Upstream` and as the service to look at what was asked. */
  static readonly layer = (...scripts: ReadonlyArray<Script>): Layer.Layer<ScriptedUpstream | Upstream> =>
    Layer.effectContext(
      Effect.sync(() => {
        const scripted = scriptedUpstream(scripts)
        return Context.make(ScriptedUpstream, scripted).pipe(Context.add(Upstream, scripted.upstream))
      })
    )
}

/** A scripted upstream without a layer, for routers that hold several. */
export const scriptedUpstream = (scripts: ReadonlyArray<Script>): ScriptedUpstream["Service"] => {
  const requests: Array<UpstreamRequest> = []
  const endings: Array<Ending | undefined> = []
  const upstream = Upstream.fromEvents((request) =>
    Stream.suspend(() => {
      const index = requests.push(request) - 1
      endings.push(undefined)
      const script = scripts[index]
      if (script === undefined) return Stream.fail(failure({ _tag: "Internal" }, `No script for request ${index + 1}`))
      let played = false
      const end = Stream.suspend(() => {
        played = true
        return Stream.empty
      })
      return Stream.concat(play(script), end).pipe(
        Stream.onExit((exit) =>
          Effect.sync(() => {
            // A reader that takes no more ends the stream as well as its end does.
            const left = Exit.isSuccess(exit) || Exit.hasInterrupts(exit)
            endings[index] = played ? "completed" : left ? "abandoned" : "failed"
          })
        )
      )
    })
  )
  return { upstream, requests: Effect.sync(() => [...requests]), endings: Effect.sync(() => [...endings]) }
}
