import { Layer } from "effect"
import { AuditTrail } from "../audit/AuditTrail.ts"
import { Engine } from "../engine/Engine.ts"
import { Filters, type Filter } from "../filters/Filter.ts"
import { Router } from "../routing/Router.ts"
import type { Script } from "./Script.ts"
import { ScriptedUpstream } from "./ScriptedUpstream.ts"

/** The parts of a pipeline under test. `filters` are applied as a server would. */
export interface TestEngineOptions {
  /** what the upstream does: the first request gets the first script, and so on */
  readonly scripts: ReadonlyArray<Script>
  readonly filters?: ReadonlyArray<Filter>
}

/**
 * An engine over a scripted upstream, with its records in memory: everything a pipeline needs to be tested on TestClock,
 * without a network, a file or a provider. A call is in the records as soon as it has ended.
 */
export const testEngine = ({
  scripts,
  filters = []
}: TestEngineOptions): Layer.Layer<Engine | AuditTrail | ScriptedUpstream> =>
  Engine.layer.pipe(
    Layer.provide(Router.layerSingle),
    Layer.provideMerge(
      Layer.merge(AuditTrail.layerMemory({ durability: "strict" }), ScriptedUpstream.layer(...scripts))
    ),
    Layer.provide(Layer.succeed(Filters, filters))
  )
