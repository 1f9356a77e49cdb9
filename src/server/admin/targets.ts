import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { TargetStates, TargetStatus } from "../../routing/TargetStates.ts"

/** The targets that are configured or were asked, and how they are. */
export const targetsGroup = HttpApiGroup.make("targets").add(
  HttpApiEndpoint.get("list", "/admin/api/targets", {
    success: Schema.Struct({ data: Schema.Array(TargetStatus) })
  })
)

/** How they are at this moment; none where the program does not share what its engine knows of them. */
export const targetStatuses: Effect.Effect<ReadonlyArray<TargetStatus>> = Effect.flatMap(
  Effect.serviceOption(TargetStates),
  (states) => (states._tag === "None" ? Effect.succeed([]) : states.value.all)
)
